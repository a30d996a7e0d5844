{{/* Values that contradict each other end the installation; those that are legal and hardly meant are told in NOTES.txt. */}}

{{- define "portcullis.refuse" -}}
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
{{- $least := include "portcullis.leastGraceSeconds" . | int64 -}}
{{- $given := int64 .Values.terminationGracePeriodSeconds -}}
{{- if and $given (lt $given $least) -}}
{{- fail (printf "terminationGracePeriodSeconds: %d is too short; preStopSleepSeconds, config.shutdownDelay and config.shutdownTimeout need %d" $given $least) -}}
{{- end -}}
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
{{- if $config.allowPrivateAddresses -}}
{{- $told = append $told "config.allowPrivateAddresses: whoever writes an IdentityProvider can make Portcullis call into your network. Name the ranges in config.allowedPrivateAddresses instead." -}}
{{- end -}}
{{- if not $values.crds.keep -}}
{{- $told = append $told "crds.keep: false: `helm uninstall` deletes the CRDs, and with them every policy of the cluster." -}}
{{- end -}}
{{- if and $values.rbac.create $values.rbac.secrets.enabled (not $values.rbac.secrets.names) -}}
{{- $told = append $told (printf "rbac.secrets.enabled without names: the service account reads every Secret of %s." (ternary "the namespaces watched" "the cluster" (ne (include "portcullis.watchNamespaces" .) "[]"))) -}}
{{- end -}}
{{- if $values.central.enabled -}}
{{- $told = concat $told (include "portcullis.centralWarnings" . | fromJsonArray) -}}
{{- else if $values.publishStatus -}}
{{- $told = append $told "central.enabled: false: sidecars write no status, so `kubectl wait --for=condition=Programmed` waits for ever and nobody is told of a policy that is wrong." -}}
{{- end -}}
{{- $told | toJson -}}
{{- end -}}

{{- define "portcullis.centralWarnings" -}}
{{- $values := .Values -}}
{{- $told := list -}}
{{- $replicas := int64 (ternary $values.autoscaling.minReplicas $values.replicas $values.autoscaling.enabled) -}}
{{- if lt $replicas 2 -}}
{{- $told = append $told (printf "%s: %d: while its one pod is away, every request is denied. Run two or more." (ternary "autoscaling.minReplicas" "replicas" $values.autoscaling.enabled) $replicas) -}}
{{- else if not $values.podDisruptionBudget.enabled -}}
{{- $told = append $told "podDisruptionBudget.enabled: false: a drain of nodes may take every replica at once." -}}
{{- end -}}
{{- if eq $values.tls.mode "none" -}}
{{- $told = append $told "tls.mode: none: checks, and the tokens in them, cross the network unencrypted. Set tls.mode, unless a mesh encrypts." -}}
{{- end -}}
{{- if not (or $values.tls.clientCertificates.required (and $values.networkPolicy.enabled $values.networkPolicy.ingress.grpcFrom)) -}}
{{- $told = append $told "Every pod that reaches the gRPC port can ask for decisions. Set networkPolicy.enabled with networkPolicy.ingress.grpcFrom, or tls.clientCertificates.required." -}}
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
