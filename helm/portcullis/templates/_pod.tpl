{{/* Parts of the Deployment's pods that more than one place needs, or that are long. */}}

{{- define "portcullis.placement" -}}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
{{- with .Values.schedulerName }}
schedulerName: {{ . }}
{{- end }}
{{- with .Values.dnsPolicy }}
dnsPolicy: {{ . }}
{{- end }}
{{- with .Values.dnsConfig }}
dnsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.hostAliases }}
hostAliases:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/*
Starting and living are asked of /healthz, never of gRPC health: that says NOT_SERVING until policies are there, and a restart brings none.
*/}}
{{- define "portcullis.probes" -}}
{{- $healthz := dict "httpGet" (dict "path" "/healthz" "port" "http") -}}
{{- $readyz := dict "httpGet" (dict "path" "/readyz" "port" "http") -}}
{{- $grpc := dict "grpc" (dict "port" (int64 .Values.ports.grpc)) -}}
startupProbe:
  {{- merge $healthz .Values.probes.startup | toYaml | nindent 2 }}
readinessProbe:
  {{- merge (ternary $grpc $readyz (eq .Values.tls.mode "none")) .Values.probes.readiness | toYaml | nindent 2 }}
livenessProbe:
  {{- merge (dict "httpGet" $healthz.httpGet) .Values.probes.liveness | toYaml | nindent 2 }}
{{- end -}}
