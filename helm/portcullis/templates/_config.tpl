{{/* What the process is told. */}}

{{/* Milliseconds of a duration such as 1m30s or 500ms. */}}
{{- define "portcullis.milliseconds" -}}
{{- $total := 0 -}}
{{- $units := dict "h" 3600000 "m" 60000 "s" 1000 "ms" 1 -}}
{{- range $part := regexFindAll "[0-9]+(ms|h|m|s)" (toString .) -1 -}}
{{- $total = add $total (mul (regexFind "^[0-9]+" $part | int64) (get $units (regexFind "[a-z]+$" $part))) -}}
{{- end -}}
{{- $total -}}
{{- end -}}

{{/* The least number of seconds in which a pod can end without being killed. */}}
{{- define "portcullis.leastGraceSeconds" -}}
{{- $delay := include "portcullis.milliseconds" (default "5s" .Values.config.shutdownDelay) -}}
{{- $timeout := include "portcullis.milliseconds" (default "20s" .Values.config.shutdownTimeout) -}}
{{- add .Values.preStopSleepSeconds (div (add (int64 $delay) (int64 $timeout) 999) 1000) 1 -}}
{{- end -}}

{{- define "portcullis.terminationGracePeriodSeconds" -}}
{{- $given := int64 .Values.terminationGracePeriodSeconds -}}
{{- if $given }}{{ $given }}{{ else }}{{ add (include "portcullis.leastGraceSeconds" . | int64) 4 }}{{ end -}}
{{- end -}}

{{/* A JSON list: the namespaces that are read, empty for all. */}}
{{- define "portcullis.watchNamespaces" -}}
{{- if .Values.watchNamespaces -}}
{{- .Values.watchNamespaces | uniq | toJson -}}
{{- else if eq .Values.rbac.scope "namespaced" -}}
{{- list .Release.Namespace | toJson -}}
{{- else -}}
[]
{{- end -}}
{{- end -}}

{{- define "portcullis.clusterKinds" -}}
{{- eq .Values.rbac.scope "cluster" -}}
{{- end -}}

{{/* A JSON list: the arguments of the Deployment's container. */}}
{{- define "portcullis.args" -}}
{{- $args := list
  "serve"
  "--config=/etc/portcullis/config/config.yaml"
  (printf "--grpc-address=%s:%d" .Values.listenHost (int64 .Values.ports.grpc))
  (printf "--http-address=%s:%d" .Values.listenHost (int64 .Values.ports.http))
  (printf "--admin-address=%s" .Values.adminAddress)
  "--namespace=$(POD_NAMESPACE)"
  "--pod-name=$(POD_NAME)"
  (printf "--lease-name=%s" (include "portcullis.fullname" .))
  (printf "--publish-status=%t" .Values.publishStatus)
  (printf "--cluster-kinds=%s" (include "portcullis.clusterKinds" .)) -}}
{{- range include "portcullis.watchNamespaces" . | fromJsonArray -}}
{{- $args = append $args (printf "--watch-namespace=%s" .) -}}
{{- end -}}
{{- with .Values.policySelector -}}
{{- $args = append $args (printf "--policy-selector=%s" .) -}}
{{- end -}}
{{- with .Values.revocations.configMap -}}
{{- $args = append $args (printf "--revocations-config-map=$(POD_NAMESPACE)/%s" .) -}}
{{- end -}}
{{- if .Values.revocations.adminTokenSecret -}}
{{- $args = append $args (printf "--admin-token-file=/etc/portcullis/admin/%s" .Values.revocations.adminTokenKey) -}}
{{- end -}}
{{- if ne .Values.tls.mode "none" -}}
{{- $args = concat $args (list
  "--tls-certificate=/etc/portcullis/tls/tls.crt"
  "--tls-key=/etc/portcullis/tls/tls.key"
  (printf "--tls-minimum-version=%s" .Values.tls.minimumVersion)) -}}
{{- with .Values.tls.clientCertificates -}}
{{- if .required -}}
{{- $args = append $args (printf "--tls-client-ca=/etc/portcullis/%s/%s" (ternary "client-ca" "tls" (ne .caSecret "")) .caKey) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if .Values.redis.passwordSecret -}}
{{- $args = append $args (printf "--redis-password-file=/etc/portcullis/redis-password/%s" .Values.redis.passwordKey) -}}
{{- end -}}
{{- if .Values.redis.caSecret -}}
{{- $args = append $args (printf "--redis-ca-file=/etc/portcullis/redis-ca/%s" .Values.redis.caKey) -}}
{{- end -}}
{{- concat $args .Values.extraArgs | toJson -}}
{{- end -}}

{{/* `config` as environment, for a sidecar, whose pod is not in the namespace of our ConfigMap. */}}
{{- define "portcullis.configAsEnv" -}}
{{- range $key, $value := .Values.config }}
{{- $texts := list }}
{{- if kindIs "slice" $value }}
{{- $texts = $value }}
{{- else if kindIs "map" $value }}
{{- range $name, $hosts := $value }}
{{- range $hosts }}
{{- $texts = append $texts (printf "%s=%s" $name .) }}
{{- end }}
{{- end }}
{{- else }}
{{- $texts = list ($value | toJson | trimAll "\"") }}
{{- end }}
- name: PORTCULLIS_{{ $key | snakecase | upper }}
  value: {{ join "," $texts | quote }}
{{- end }}
{{- end -}}

{{- define "portcullis.tlsSecretName" -}}
{{- if eq .Values.tls.mode "existingSecret" }}{{ .Values.tls.existingSecret }}{{ else }}{{ include "portcullis.fullname" . }}-tls{{ end -}}
{{- end -}}

{{/* A JSON list: the names by which proxies call it. */}}
{{- define "portcullis.dnsNames" -}}
{{- $names := list -}}
{{- range $service := list (include "portcullis.fullname" .) (printf "%s-headless" (include "portcullis.fullname" .)) -}}
{{- $long := printf "%s.%s.svc" $service $.Release.Namespace -}}
{{- $names = concat $names (list $long (printf "%s.%s" $long $.Values.clusterDomain) (printf "%s.%s" $service $.Release.Namespace) $service) -}}
{{- end -}}
{{- concat $names .Values.tls.extraDnsNames | uniq | toJson -}}
{{- end -}}
