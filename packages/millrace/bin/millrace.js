#!/usr/bin/env node
// Plain and old-fashioned: it has to be readable for a Node that is too old for the rest.
import module from 'node:module'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 22)) {
  process.stderr.write(`millrace needs Node 22.22 or newer: this is ${process.versions.node}\n`)
  process.exitCode = 2
} else {
  module.enableCompileCache?.()
  await import('../dist/cli/main.js')
}
