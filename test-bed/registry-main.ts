/** `npm run registry`: a schema registry until Ctrl-C. */

import { startRegistry } from './registry.ts'

try {
  const registry = await startRegistry()
  console.log(`Apicurio Registry at ${registry.url}; Ctrl-C stops it and removes its data`)
  const stop = (): void => void registry.stop()
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 3
}
