// Nothing is built here: go.mod and go.sum pin Istio's own definitions, which test/integration/istio checks our examples against.
module portcullis.dev/test/istio-api

go 1.24

require (
	istio.io/api v1.31.1
)
