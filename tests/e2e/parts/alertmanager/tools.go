//go:build tools

// Package tools names what this module is there to build, so that go.mod lists their dependencies.
package tools

import (
	_ "github.com/prometheus/alertmanager/cmd/alertmanager"
	_ "github.com/prometheus/alertmanager/cmd/amtool"
)
