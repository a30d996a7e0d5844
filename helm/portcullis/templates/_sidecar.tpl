{{- define "portcullis.sidecarContainer" -}}
name: portcullis
image: {{ include "portcullis.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
restartPolicy: Always
securityContext:
  runAsNonRoot: true
  {{- with .Values.podSecurityContext.runAsUser }}
  runAsUser: {{ . }}
  {{- end }}
  {{- with .Values.podSecurityContext.seccompProfile }}
  seccompProfile: {{ toJson . }}
  {{- end }}
  {{- with .Values.securityContext }}
  {{- omit . "runAsNonRoot" "runAsUser" "seccompProfile" | toYaml | nindent 2 }}
  {{- end }}
args:
- serve
{{- if eq .Values.sidecar.listen "unix" }}
- --grpc-address=unix:{{ .Values.sidecar.socketDirectory }}/grpc.sock
{{- else }}
- --grpc-address=127.0.0.1:{{ .Values.ports.grpc }}
{{- end }}
- --http-address={{ .Values.listenHost }}:{{ .Values.ports.http }}
- --admin-address=
- --namespace={{ .Release.Namespace }}
- --pod-name=$(POD_NAME)
# It reads the policies of its own namespace{{ if eq (include "portcullis.clusterKinds" .) "true" }} and the floor{{ end }}, and writes nothing: the central service does.
- --watch-namespace=$(POD_NAMESPACE)
- --cluster-kinds={{ include "portcullis.clusterKinds" . }}
- --publish-status=false
{{- with .Values.revocations.configMap }}
- --revocations-config-map={{ $.Release.Namespace }}/{{ . }}
{{- end }}
{{- with .Values.policySelector }}
- {{ printf "--policy-selector=%s" . | quote }}
{{- end }}
env:
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: POD_NAMESPACE
  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
{{- include "portcullis.configAsEnv" . }}
ports:
- {name: portcullis-http, containerPort: {{ .Values.ports.http }}, protocol: TCP}
startupProbe:
  httpGet: {path: /healthz, port: {{ .Values.ports.http }}}
  {{- toYaml .Values.probes.startup | nindent 2 }}
readinessProbe:
  httpGet: {path: /readyz, port: {{ .Values.ports.http }}}
  {{- toYaml .Values.probes.readiness | nindent 2 }}
livenessProbe:
  httpGet: {path: /healthz, port: {{ .Values.ports.http }}}
  {{- toYaml .Values.probes.liveness | nindent 2 }}
{{- with .Values.sidecar.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if eq .Values.sidecar.listen "unix" }}
volumeMounts:
- {name: portcullis-socket, mountPath: {{ .Values.sidecar.socketDirectory }}}
{{- end }}
{{- end -}}

{{/* What a sidecar reads: the namespaced kinds in its own namespace, the cluster's, and what they refer to. It writes nothing, and asks for reviews where a value says so. */}}
{{- define "portcullis.sidecarRoles" -}}
{{- $name := printf "%s-sidecar" (include "portcullis.fullname" .) -}}
{{- $accounts := list -}}
{{- $byNamespace := dict -}}
{{- range .Values.sidecar.serviceAccounts -}}
{{- $account := dict "kind" "ServiceAccount" "name" .name "namespace" .namespace -}}
{{- $accounts = append $accounts $account -}}
{{- $_ := set $byNamespace .namespace (append (get $byNamespace .namespace | default list) $account) -}}
{{- end -}}
{{- /* Of our namespace, which has Secrets of our own, a workload reads only what is named. */ -}}
{{- $references := include "portcullis.rules.references" (dict "may" .Values.sidecar) | fromYamlArray -}}
{{- $named := include "portcullis.rules.references" (dict "may" .Values.sidecar "isNamed" true) | fromYamlArray -}}
{{- $read := list "get" "list" "watch" -}}
{{- $rules := concat (list (dict "apiGroups" (list "portcullis.dev") "resources" (list "accesspolicies" "identityproviders") "verbs" $read)) -}}
{{- if .Values.sidecar.routes -}}
{{- $rules = concat $rules (include "portcullis.rules.routes" . | fromYamlArray) -}}
{{- end -}}
{{- range $namespace, $subjects := $byNamespace }}
{{ include "portcullis.grant" (dict "context" $ "name" $name "namespace" $namespace "rules" (concat $rules (ternary $named $references (eq $namespace $.Release.Namespace))) "subjects" $subjects) }}
{{- end }}
{{- if and .Values.revocations.configMap $accounts }}
{{ include "portcullis.grant" (dict "context" $ "name" (printf "%s-revocations" $name) "namespace" $.Release.Namespace "rules" (include "portcullis.rules.revocations" . | fromYamlArray) "subjects" $accounts) }}
{{- end }}
{{- if and $accounts .Values.sidecar.reviews }}
{{ include "portcullis.grant" (dict "context" $ "name" (printf "%s-reviews" $name) "namespace" false "rules" (include "portcullis.rules.reviews" . | fromYamlArray) "subjects" $accounts) }}
{{- end }}
{{- if and $accounts (eq .Values.rbac.scope "cluster") }}
{{- $clusterRules := list (dict "apiGroups" (list "portcullis.dev") "resources" (list "clusteraccesspolicies" "clusteridentityproviders") "verbs" $read) }}
{{ include "portcullis.grant" (dict "context" $ "name" $name "namespace" false "rules" $clusterRules "subjects" $accounts) }}
{{- if $named }}
{{ include "portcullis.grant" (dict "context" $ "name" (printf "%s-references" $name) "namespace" .Release.Namespace "rules" $named "subjects" $accounts) }}
{{- end }}
{{- end }}
{{- end -}}
