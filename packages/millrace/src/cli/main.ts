/**
 * Start of the command line. `bin/millrace.js` comes first: it refuses a Node.js that is too old and turns on the cache of
 * compiled code.
 */
import { ERROR_CODES } from '../errors/index.ts'
import { runCli } from './commands.ts'

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // Whoever reads our output may have seen enough: `millrace read | head`.
  if (error.code === 'EPIPE') process.exit()
  process.stderr.write(`FILE_UNWRITABLE: Cannot write to standard output: ${error.message}\n`)
  process.exit(ERROR_CODES.FILE_UNWRITABLE.exit)
})
process.exitCode = await runCli(process.argv.slice(2))
