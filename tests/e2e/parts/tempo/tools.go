//go:build tools

// Package tools names what this module is there to build, so that go.mod lists its dependencies.
package tools

import _ "github.com/grafana/tempo/cmd/tempo"
