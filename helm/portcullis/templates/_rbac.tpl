{{/* Rules are YAML lists, so that they can be put together. */}}

{{- define "portcullis.rules.kinds" -}}
- apiGroups: [portcullis.dev]
  resources: {{ toJson .kinds }}
  verbs: [get, list, watch]
{{- if .context.Values.publishStatus }}
- apiGroups: [portcullis.dev]
  resources:
    {{- range .kinds }}
    - {{ . }}/status
    {{- end }}
  verbs: [patch]
{{- end }}
{{- end -}}

{{/* ConfigMaps and Secrets, of a dict with `may`, the values that say which, and `isNamed`, true where those without names give nothing. */}}
{{- define "portcullis.rules.references" -}}
{{- $isNamed := .isNamed -}}
{{- range $resource, $may := dict "configmaps" .may.configMaps "secrets" .may.secrets }}
{{- if and $may.enabled (or $may.names (not $isNamed)) }}
- apiGroups: [""]
  resources: [{{ $resource }}]
  verbs: [get, list, watch]
  {{- with $may.names }}
  resourceNames: {{ toJson . }}
  {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "portcullis.rules.reviews" -}}
- apiGroups: [authentication.k8s.io]
  resources: [tokenreviews]
  verbs: [create]
- apiGroups: [authorization.k8s.io]
  resources: [subjectaccessreviews]
  verbs: [create]
{{- end -}}

{{/* The one ConfigMap that lists what is revoked. */}}
{{- define "portcullis.rules.revocations" -}}
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, watch]
  resourceNames: [{{ .Values.revocations.configMap }}]
{{- end -}}

{{- define "portcullis.rules.events" -}}
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end -}}

{{/* The HTTPRoutes and GRPCRoutes that policies can be attached to. */}}
{{- define "portcullis.rules.routes" -}}
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes, grpcroutes]
  verbs: [get, list, watch]
{{- end -}}

{{/*
The Lease of the leader is known by its name, which `create` cannot be bound to. Those of replicas have names with those of their pods, which
nobody knows beforehand: RBAC has no pattern for them.
*/}}
{{- define "portcullis.rules.leases" -}}
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [get, update]
  resourceNames: [{{ include "portcullis.fullname" . }}]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create, list, watch, patch, delete]
{{- end -}}

{{/* In a namespace whose policies are read. */}}
{{- define "portcullis.rules.namespace" -}}
{{ include "portcullis.rules.kinds" (dict "context" . "kinds" (list "accesspolicies" "identityproviders")) }}
{{ include "portcullis.rules.references" (dict "may" .Values.rbac) }}
{{ include "portcullis.rules.routes" . }}
{{- if .Values.publishStatus }}
{{ include "portcullis.rules.events" . }}
{{- end }}
{{- end -}}

{{/*
A role and its binding to our service account: of a dict with `context`, `name`, `namespace` (false: of the cluster) and `rules`;
`subjects` where it is bound to others.
*/}}
{{- define "portcullis.grant" -}}
{{- $values := .context.Values -}}
{{- $kind := ternary "ClusterRole" "Role" (eq (toString .namespace) "false") -}}
{{- $metadata := include "portcullis.metadata" (dict "context" .context "name" .name "namespace" .namespace "annotations" $values.rbac.annotations) -}}
{{- $account := dict "kind" "ServiceAccount" "name" (include "portcullis.serviceAccountName" .context) "namespace" .context.Release.Namespace -}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}
metadata:
  {{- $metadata | nindent 2 }}
rules:
  {{- toYaml .rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}Binding
metadata:
  {{- $metadata | nindent 2 }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: {{ $kind }}, name: {{ .name }}}
subjects:
  {{- default (list $account) .subjects | toYaml | nindent 2 }}
{{- end -}}
