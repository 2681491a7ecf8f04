/**
 * Start of the command line. `bin/millrace.js` comes first: it refuses a Node.js that is too old and turns on the cache of
 * compiled code.
 */
import { runCli } from './commands.ts'

process.exitCode = await runCli(process.argv.slice(2))
