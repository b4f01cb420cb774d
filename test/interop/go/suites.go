// Package interop has the module from which Beam Go's own integration tests are built, as its go.sum pins them.
package interop

import (
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/x/beamx"
	_ "github.com/apache/beam/sdks/v2/go/test/integration/primitives"
	_ "github.com/apache/beam/sdks/v2/go/test/integration/synthetic"
	_ "github.com/apache/beam/sdks/v2/go/test/integration/wordcount"
	_ "github.com/apache/beam/sdks/v2/go/test/regression"
)
