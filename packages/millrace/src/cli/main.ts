#!/usr/bin/env node
/**
 * Start of the command line. This file must load on an old Node.js too, so that it can say that it is too old: nothing
 * of ours is imported before the check.
 */
import nodeModule from 'node:module'

const REQUIRED = [22, 22] as const

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < REQUIRED[0] || (major === REQUIRED[0] && minor < REQUIRED[1])) {
  process.stderr.write(`Millrace needs Node.js ${REQUIRED.join('.')} or newer: this is ${process.versions.node}\n`)
  process.exitCode = 2
} else {
  // Keeps compiled code between runs, which halves the start-up time.
  nodeModule.enableCompileCache?.()
  const { runCli } = await import('./commands.ts')
  process.exitCode = await runCli(process.argv.slice(2))
}
