/**
 * Start of the command line. `bin/millrace.js` comes first: it refuses a Node.js that is too old and turns on the cache of
 * compiled code.
 */
import { runCli } from './commands.ts'

// Whoever reads our output may have seen enough: `millrace read | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})
process.exitCode = await runCli(process.argv.slice(2))
