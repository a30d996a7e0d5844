{{/* Values that contradict each other end the installation; those that are legal and hardly meant are told in NOTES.txt. */}}

{{- define "portcullis.refuse" -}}
{{- include "portcullis.refuseMisplaced" . -}}
{{- include "portcullis.refuseSelector" . -}}
{{- include "portcullis.refuseMissingNamespaces" . -}}
{{- $tls := .Values.tls -}}
{{- if and (eq $tls.mode "existingSecret") (not $tls.existingSecret) -}}
{{- fail "tls.existingSecret: tls.mode existingSecret needs the name of the Secret" -}}
{{- end -}}
{{- if and (ne $tls.mode "existingSecret") $tls.existingSecret -}}
{{- fail (printf "tls.existingSecret: it is not used with tls.mode %s; say tls.mode: existingSecret" $tls.mode) -}}
{{- end -}}
{{- if and (eq $tls.mode "certManager") (not $tls.certManager.issuerRef.name) -}}
{{- fail "tls.certManager.issuerRef.name: tls.mode certManager needs the name of an issuer" -}}
{{- end -}}
{{- if and $tls.clientCertificates.required (eq $tls.mode "none") -}}
{{- fail "tls.clientCertificates.required: without TLS nobody shows a certificate; set tls.mode" -}}
{{- end -}}
{{- if and $tls.clientCertificates.required (eq $tls.mode "selfSigned") (not $tls.clientCertificates.caSecret) -}}
{{- fail "tls.clientCertificates.caSecret: the CA of tls.mode selfSigned issues no certificates for clients; name the Secret of another" -}}
{{- end -}}
{{- $redisUrl := default "" .Values.config.redisUrl -}}
{{- if and (not $redisUrl) (or .Values.redis.passwordSecret .Values.redis.caSecret) -}}
{{- fail "config.redisUrl: redis.passwordSecret and redis.caSecret are for the Redis that it names" -}}
{{- end -}}
{{- if and .Values.redis.caSecret (not (hasPrefix "rediss://" $redisUrl)) -}}
{{- fail "redis.caSecret: it needs a config.redisUrl of rediss://" -}}
{{- end -}}
{{- if and .Values.config.redisUsername (not .Values.redis.passwordSecret) -}}
{{- fail "redis.passwordSecret: config.redisUsername needs a password" -}}
{{- end -}}
{{- if and .Values.metrics.serviceMonitor.enabled .Values.metrics.podMonitor.enabled -}}
{{- fail "metrics.podMonitor.enabled: a ServiceMonitor and a PodMonitor would collect everything twice" -}}
{{- end -}}
{{- if and .Values.rbac.create .Values.rbac.reviews (ne .Values.rbac.scope "cluster") -}}
{{- fail "rbac.reviews: reviews are of the whole cluster, and rbac.scope namespaced makes no ClusterRole; have the ClusterRole system:auth-delegator bound to the service account instead" -}}
{{- end -}}
{{- if and .Values.rbac.create .Values.sidecar.enabled .Values.sidecar.reviews (ne .Values.rbac.scope "cluster") -}}
{{- fail "sidecar.reviews: reviews are of the whole cluster, and rbac.scope namespaced makes no ClusterRole; have the ClusterRole system:auth-delegator bound to the service accounts of the workloads instead" -}}
{{- end -}}
{{- $least := include "portcullis.leastGraceSeconds" . | int64 -}}
{{- $given := int64 .Values.terminationGracePeriodSeconds -}}
{{- if and $given (lt $given $least) -}}
{{- fail (printf "terminationGracePeriodSeconds: %d is too short; preStopSleepSeconds, config.shutdownDelay and config.shutdownTimeout need %d" $given $least) -}}
{{- end -}}
{{- end -}}

{{/* Settings of `serve` that the chart makes of values of its own. The schema lets them pass, so that this can say where they belong. */}}
{{- define "portcullis.refuseMisplaced" -}}
{{- $tls := "tls, beside config" -}}
{{- $places := dict
  "watchNamespaces" "watchNamespaces, beside config"
  "policySelector" "policySelector, beside config"
  "publishStatus" "publishStatus, beside config"
  "clusterKinds" "rbac.scope: cluster reads them, namespaced does not"
  "adminAddress" "adminAddress, beside config"
  "grpcAddress" "listenHost and ports.grpc"
  "httpAddress" "listenHost and ports.http"
  "leaseName" "fullnameOverride"
  "podName" ""
  "namespace" ""
  "policies" ""
  "kubeconfig" ""
  "tlsCertificate" $tls
  "tlsKey" $tls
  "tlsClientCa" $tls
  "tlsMinimumVersion" $tls
  "redisPasswordFile" "redis.passwordSecret, beside config"
  "redisCaFile" "redis.caSecret, beside config"
  "revocationsConfigMap" "revocations.configMap, beside config"
  "adminTokenFile" "revocations.adminTokenSecret, beside config" -}}
{{- range $key, $_ := .Values.config -}}
{{- if hasKey $places $key -}}
{{- with get $places $key -}}
{{- fail (printf "config.%s: the chart sets it by a value of its own: %s" $key .) -}}
{{- end -}}
{{- fail (printf "config.%s: the chart sets it itself; leave it out" $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Of the form that the API server takes, and `serve` (src/std/label-selector.ts); as a pattern of the schema its refusal could not be read. */}}
{{- define "portcullis.refuseSelector" -}}
{{- $name := "[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?" -}}
{{- $key := printf "([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?%s" $name -}}
{{- $value := printf "(%s)?" $name -}}
{{- $one := printf " *(! *%s|%s( *(==?|!=) *%s| +(in|notin) *\\( *%s( *, *%s)* *\\))?) *" $key $key $value $value $value -}}
{{- if not (regexMatch (printf "^(%s(,%s)*)?$" $one $one) .Values.policySelector) -}}
{{- fail (printf "policySelector: %q is no label selector; write team=shop, tier in (a,b) or !legacy, with commas between" .Values.policySelector) -}}
{{- end -}}
{{- end -}}

{{/*
A namespace that does not exist would end an upgrade in its middle. Whether it does is asked only where the release makes ClusterRoles:
who may do that may read namespaces, and others could not install if this were asked. `helm template` sees no namespace, not even `default`.
*/}}
{{- define "portcullis.refuseMissingNamespaces" -}}
{{- if and (eq .Values.rbac.scope "cluster") (lookup "v1" "Namespace" "" "default") -}}
{{- $made := list .Release.Namespace -}}
{{- range .Values.extraObjects -}}
{{- range $text := regexSplit "(?m)^---" (tpl (ternary . (toYaml .) (kindIs "string" .)) $) -1 -}}
{{- $object := fromYaml $text -}}
{{- if eq (toString $object.kind) "Namespace" -}}
{{- $made = append $made $object.metadata.name -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range include "portcullis.writtenNamespaces" . | fromJsonArray -}}
{{- if not (or (has .namespace $made) (lookup "v1" "Namespace" "" .namespace)) -}}
{{- fail (printf "%s: there is no namespace %s; create it first, or correct the name. Nothing was changed" .value .namespace) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A JSON list of {value, namespace}: where objects of the release are made besides its own namespace, and which value says so. */}}
{{- define "portcullis.writtenNamespaces" -}}
{{- $found := list -}}
{{- if .Values.rbac.create -}}
{{- if .Values.central.enabled -}}
{{- range $index, $namespace := .Values.watchNamespaces -}}
{{- $found = append $found (dict "value" (printf "watchNamespaces[%d]" $index) "namespace" $namespace) -}}
{{- end -}}
{{- end -}}
{{- if .Values.sidecar.enabled -}}
{{- range $index, $account := .Values.sidecar.serviceAccounts -}}
{{- $found = append $found (dict "value" (printf "sidecar.serviceAccounts[%d].namespace" $index) "namespace" $account.namespace) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $name := list "serviceMonitor" "podMonitor" "prometheusRule" -}}
{{- $monitor := get $.Values.metrics $name -}}
{{- if and $monitor.enabled $monitor.namespace -}}
{{- $found = append $found (dict "value" (printf "metrics.%s.namespace" $name) "namespace" $monitor.namespace) -}}
{{- end -}}
{{- end -}}
{{- $found | toJson -}}
{{- end -}}

{{/* A JSON list of sentences. */}}
{{- define "portcullis.warnings" -}}
{{- $values := .Values -}}
{{- $config := .Values.config -}}
{{- $told := list -}}
{{- if $config.shadowAll -}}
{{- $told = append $told "config.shadowAll: EVERY REQUEST IS ALLOWED, whatever the policies say. It is for introducing Portcullis and for nothing else." -}}
{{- end -}}
{{- if eq (include "portcullis.clusterKinds" .) "false" -}}
{{- $told = append $told "rbac.scope: namespaced: ClusterAccessPolicies are not read, so the platform's floor DOES NOT HOLD for what this release decides, and ClusterIdentityProviders are unknown." -}}
{{- end -}}
{{- $workers := int64 (default 1 $config.workers) -}}
{{- if and (gt $workers 1) (eq (toString $values.resources.requests.cpu) "250m") -}}
{{- $told = append $told (printf "config.workers: %d: each uses a core of its own, and resources.requests.cpu is that of one process. Ask for %d cores, and for memory as docs/workers.md says; more replicas do as well." $workers $workers) -}}
{{- end -}}
{{- if $config.allowPrivateAddresses -}}
{{- $told = append $told "config.allowPrivateAddresses: whoever writes an IdentityProvider can make Portcullis call into your network. Name the ranges in config.allowedPrivateAddresses instead." -}}
{{- end -}}
{{- if and $values.crds.enabled (not $values.crds.keep) -}}
{{- $told = append $told "crds.keep: false: `helm uninstall` deletes the CRDs, and with them every policy of the cluster. So does an upgrade to crds.enabled: false: set crds.keep: true and upgrade before that." -}}
{{- end -}}
{{- if and $values.rbac.create $values.rbac.secrets.enabled (not $values.rbac.secrets.names) -}}
{{- $told = append $told (printf "rbac.secrets.enabled without names: the service account reads every Secret of %s. Name them in rbac.secrets.names where providers refer to Secrets by name; providers of type APIKey and SharedSecretJWT list them, which names forbid: keep to few namespaces with watchNamespaces and rbac.scope: namespaced." (ternary "the namespaces watched" "the cluster" (ne (include "portcullis.watchNamespaces" .) "[]"))) -}}
{{- end -}}
{{- if and $values.rbac.create $values.sidecar.enabled $values.sidecar.serviceAccounts $values.sidecar.secrets.enabled (not $values.sidecar.secrets.names) -}}
{{- $told = append $told "sidecar.secrets.enabled without names: whatever runs as one of sidecar.serviceAccounts reads every Secret of its namespace." -}}
{{- end -}}
{{- if $values.central.enabled -}}
{{- $told = concat $told (include "portcullis.centralWarnings" . | fromJsonArray) -}}
{{- else if $values.publishStatus -}}
{{- $told = append $told "central.enabled: false: sidecars write no status, so `kubectl wait --for=condition=Programmed` waits for ever, and what is wrong with a policy is told in their logs alone." -}}
{{- end -}}
{{- $told | toJson -}}
{{- end -}}

{{- define "portcullis.centralWarnings" -}}
{{- $values := .Values -}}
{{- $told := list -}}
{{- if and (not $values.config.hostGrants) (ne (include "portcullis.watchNamespaces" . | fromJsonArray | len) 1) -}}
{{- $told = append $told "config.hostGrants is empty, and policies of several namespaces are read: a host belongs to the namespace whose policy was created first. Who deletes a policy and applies it anew comes last, and may lose the host to another team that named it too. Where several teams write policies, say which namespace may have which hosts." -}}
{{- end -}}
{{- $replicas := int64 (ternary $values.autoscaling.minReplicas $values.replicas $values.autoscaling.enabled) -}}
{{- if lt $replicas 2 -}}
{{- $told = append $told (printf "%s: %d: while its one pod is away, nothing answers the proxies that ask it, and they deny every request. Run two or more." (ternary "autoscaling.minReplicas" "replicas" $values.autoscaling.enabled) $replicas) -}}
{{- else if not $values.podDisruptionBudget.enabled -}}
{{- $told = append $told "podDisruptionBudget.enabled: false: a drain of nodes may take every replica at once." -}}
{{- end -}}
{{- if eq $values.tls.mode "none" -}}
{{- $told = append $told "tls.mode: none: checks, and the tokens in them, cross the network unencrypted. Set tls.mode, unless a mesh encrypts." -}}
{{- end -}}
{{- if not (or $values.tls.clientCertificates.required (and $values.networkPolicy.enabled $values.networkPolicy.ingress.grpcFrom)) -}}
{{- $told = append $told "Every pod that reaches the gRPC port can ask for decisions. Set networkPolicy.enabled with networkPolicy.ingress.grpcFrom, or tls.clientCertificates.required." -}}
{{- end -}}
{{- if ne $values.service.type "ClusterIP" -}}
{{- $told = append $told (printf "service.type: %s: the gRPC port can be reached from outside of the cluster, and whoever reaches it can ask for decisions. Proxies in the cluster need ClusterIP." $values.service.type) -}}
{{- end -}}
{{- if and $values.adminAddress (not (regexMatch "^(127\\.[0-9.]+|localhost|\\[::1\\]):" $values.adminAddress)) -}}
{{- $told = append $told (printf "adminAddress: %s: the admin page has no authentication and is not on loopback." $values.adminAddress) -}}
{{- end -}}
{{- if and (eq (include "portcullis.milliseconds" (default "5s" $values.config.shutdownDelay)) "0") (eq (int64 $values.preStopSleepSeconds) 0) -}}
{{- $told = append $told "config.shutdownDelay and preStopSleepSeconds are 0: proxies still send checks to a replica that is gone, and these fail." -}}
{{- end -}}
{{- if or (ne $values.strategy.type "RollingUpdate") (ne (toString $values.strategy.rollingUpdate.maxUnavailable) "0") -}}
{{- $told = append $told "strategy: an upgrade takes replicas away before others are ready. Keep type RollingUpdate with maxUnavailable 0." -}}
{{- end -}}
{{- if or (not $values.podSecurityContext.runAsNonRoot) (not $values.securityContext.readOnlyRootFilesystem) $values.securityContext.allowPrivilegeEscalation $values.securityContext.privileged -}}
{{- $told = append $told "podSecurityContext or securityContext: weaker than what Portcullis needs." -}}
{{- end -}}
{{- if not (or $values.image.digest $values.image.registry $values.global.imageRegistry (regexMatch "^(localhost|[^/]*[.:][^/]*)/" $values.image.repository)) -}}
{{- $told = append $told (printf "image: %s names no registry and no digest: nodes pull from the one that they have by default, and whoever owns the name there decides what runs. Set image.registry to where you put the image, and image.digest." (include "portcullis.image" .)) -}}
{{- end -}}
{{- if and (not $values.image.digest) (eq $values.image.tag "latest") -}}
{{- $told = append $told "image.tag: latest: nobody knows which version decides. Name a version, or a digest." -}}
{{- end -}}
{{- if and $values.tests.enabled (include "portcullis.testNeedsCertificate" .) -}}
{{- $told = append $told "tests.clientCertificateSecret is empty: there is no `helm test`, since the gRPC port answers only clients that show a certificate." -}}
{{- end -}}
{{- if eq $values.tls.mode "selfSigned" -}}
{{- $told = append $told "tls.mode: selfSigned: Helm makes the certificate, and keeps it only where it sees the cluster. Tools that render charts by `helm template` (Argo CD, for one) make a new one each time: use certManager there." -}}
{{- end -}}
{{- $told | toJson -}}
{{- end -}}

{{/* Not empty where the test pod could not be answered. */}}
{{- define "portcullis.testNeedsCertificate" -}}
{{- if and (ne .Values.tls.mode "none") .Values.tls.clientCertificates.required (not .Values.tests.clientCertificateSecret) }}yes{{ end -}}
{{- end -}}
