{{/* The first alerts; docs/metrics.md says what the metrics mean. A test holds names and codes against the source. */}}
{{- define "portcullis.alerts" -}}
{{- $of := printf "namespace=%q,pod=~%q" .Release.Namespace (printf "%s-.+" (include "portcullis.fullname" .)) -}}
- alert: PortcullisNoReplicaReady
  expr: absent(portcullis_ready{ {{- $of -}} } == 1)
  for: 2m
  labels: {severity: critical}
  annotations:
    summary: No replica of Portcullis is ready, or none is scraped.
    description: Requests through the proxies that ask it are denied.
- alert: PortcullisReplicaNotReady
  expr: portcullis_ready{ {{- $of -}} } == 0
  for: 10m
  labels: {severity: warning}
  annotations:
    summary: {{ "{{ $labels.pod }} is not ready." | quote }}
    description: Its log says what it waits for; often the API server, missing CRDs or a missing right.
- alert: PortcullisDeniesForItself
  expr: sum by (namespace, code) (rate(portcullis_decisions_total{ {{- $of -}} ,decision="deny",code=~"policy_invalid|policy_too_complex|provider_unavailable|keys_unavailable|revocation_unknown|introspection_unavailable|store_unavailable|review_unavailable|revocations_unavailable|not_ready|overloaded|deadline_exceeded|internal_error"}[5m])) > 0
  for: 5m
  labels: {severity: critical}
  annotations:
    summary: {{ "Requests are denied with {{ $labels.code }}, which is no fault of the callers." | quote }}
    description: docs/errors.md says what the code means and what to do.
- alert: PortcullisPolicyNotInForce
  expr: max by (namespace, state) (portcullis_documents{ {{- $of -}} ,state!="current"}) > 0
  for: 10m
  labels: {severity: warning}
  annotations:
    summary: {{ "{{ $value }} policy documents are not in force as they are written ({{ $labels.state }})." | quote }}
    description: "`kubectl get accesspolicies,identityproviders --all-namespaces` shows which; their status says why."
- alert: PortcullisPoliciesStale
  expr: portcullis_policy_age_seconds{ {{- $of -}} } > 300
  for: 5m
  labels: {severity: warning}
  annotations:
    summary: {{ "{{ $labels.pod }} does not see changes of policies." | quote }}
    description: It serves on with the last ones. Is the API server there, and may it be read?
- alert: PortcullisKeysOutdated
  expr: portcullis_key_age_seconds{ {{- $of -}} } > 3600 and on (namespace, pod, provider) increase(portcullis_key_fetches_total{ {{- $of -}} ,result="failed"}[15m]) > 0
  for: 5m
  labels: {severity: warning}
  annotations:
    summary: {{ "The keys of {{ $labels.provider }} cannot be fetched." | quote }}
    description: Its tokens are denied when the setting keyStaleWindow is over.
- alert: PortcullisRevocationsNotRead
  expr: min by (namespace, source) (portcullis_revocations_readable{ {{- $of -}} }) == 0
  for: 1m
  labels: {severity: critical}
  annotations:
    summary: {{ "The list of revocations ({{ $labels.source }}) cannot be read." | quote }}
    description: Credentials are denied with 503, unless revocationsUnavailable is Ignore. GET /revocations on the admin address says why.
- alert: PortcullisIssuerMessagesLost
  expr: sum by (namespace, event, result) (increase(portcullis_issuer_events_total{ {{- $of -}} ,result!="taken"}[15m])) > 0
  for: 5m
  labels: {severity: warning}
  annotations:
    summary: {{ "Logouts or security events of issuers are not taken ({{ $labels.event }}, {{ $labels.result }})." | quote }}
    description: What they would have ended lives on. The log says why; a stranger who tries is refused too.
- alert: PortcullisSlow
  expr: histogram_quantile(0.99, sum by (namespace, le) (rate(portcullis_check_duration_seconds_bucket{ {{- $of -}} }[5m]))) > 0.1
  for: 10m
  labels: {severity: warning}
  annotations:
    summary: {{ "One check in a hundred takes longer than {{ $value | humanizeDuration }}." | quote }}
    description: Envoy waits 200 ms unless it is told otherwise, then denies. One replica uses one core well; add replicas.
- alert: PortcullisCertificateEnds
  expr: portcullis_tls_certificate_expiry_seconds{ {{- $of -}} } < 7 * 86400
  for: 1h
  labels: {severity: critical}
  annotations:
    summary: {{ "The certificate of the gRPC port ({{ $labels.certificate }}) ends in {{ $value | humanizeDuration }}." | quote }}
    description: It is renewed when its Secret is. Look at who writes that.
- alert: PortcullisProxiesRefused
  expr: sum by (namespace) (rate(portcullis_tls_handshakes_total{ {{- $of -}} ,result="refused"}[5m])) > 0
  for: 10m
  labels: {severity: warning}
  annotations:
    summary: TLS handshakes on the gRPC port are refused.
    description: The log says why. A proxy that is refused denies every request, or allows it with failure_mode_allow.
- alert: PortcullisUncaughtErrors
  expr: increase(portcullis_uncaught_errors_total{ {{- $of -}} }[15m]) > 0
  labels: {severity: warning}
  annotations:
    summary: {{ "{{ $labels.pod }} met an error that nothing caught." | quote }}
    description: It went on. Each is a bug; the log has its kind and place.
{{- end -}}
