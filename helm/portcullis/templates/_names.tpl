{{/* Names and labels. Every one that ends up in a name of a Service leaves room for a suffix. */}}

{{- define "portcullis.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "portcullis.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "portcullis.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "portcullis.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "portcullis.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* What Services and the Deployment select by. A Deployment's selector can never be changed: nothing of a value may come in. */}}
{{- define "portcullis.selectorLabels" -}}
app.kubernetes.io/name: {{ include "portcullis.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "portcullis.labels" -}}
{{- $own := include "portcullis.selectorLabels" . | fromYaml -}}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") -}}
{{- $_ := set $own "app.kubernetes.io/version" (.Chart.AppVersion | replace "+" "_" | trunc 63) -}}
{{- $_ := set $own "app.kubernetes.io/managed-by" .Release.Service -}}
{{- merge $own .Values.commonLabels | toYaml -}}
{{- end -}}

{{- define "portcullis.testName" -}}
{{- printf "%s-test" (include "portcullis.name" .) -}}
{{- end -}}

{{/*
The metadata of an object, without its key: of a dict with `context`, `name`, and where they are wanted `namespace`
(false for an object of the cluster), `labels`, `annotations` and `app`, where it is no part of the service: a pod that Services must
not find. The chart's own labels win over everybody's.
*/}}
{{- define "portcullis.metadata" -}}
{{- $labels := include "portcullis.labels" .context | fromYaml -}}
{{- with .app }}{{ $_ := set $labels "app.kubernetes.io/name" . }}{{ end -}}
{{- $annotations := merge (dict) (default dict .annotations) .context.Values.commonAnnotations -}}
name: {{ .name }}
{{- if not (eq (toString .namespace) "false") }}
namespace: {{ default .context.Release.Namespace .namespace }}
{{- end }}
labels:
  {{- merge $labels (default dict .labels) | toYaml | nindent 2 }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "portcullis.image" -}}
{{- $registry := default .Values.image.registry .Values.global.imageRegistry -}}
{{- with $registry }}{{ . | trimSuffix "/" }}/{{ end -}}
{{- .Values.image.repository -}}
{{- if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ default .Chart.AppVersion .Values.image.tag }}{{ end -}}
{{- end -}}

{{/* `imagePullSecrets` with its key, or nothing. A name may stand for {name: NAME}. */}}
{{- define "portcullis.imagePullSecrets" -}}
{{- with concat .Values.global.imagePullSecrets .Values.imagePullSecrets -}}
imagePullSecrets:
{{- range . }}
- name: {{ if kindIs "map" . }}{{ .name }}{{ else }}{{ . }}{{ end }}
{{- end }}
{{- end -}}
{{- end -}}
