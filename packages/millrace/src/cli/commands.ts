/**
 * Runs a command and turns how it ended into an exit code. Each command is a file of its own that is loaded when it is
 * called.
 */
import { exitCodeOf } from './exit-code.ts'
import { errorLines, printEnvelope, toEnvelopeError, type Outcome } from './output.ts'

export interface Commands {
  readonly run: (file: string, options: { readonly untilEnd?: true; readonly json?: true }) => Promise<void>
  readonly lint: (files: readonly string[], options: { readonly json?: true }) => Promise<void>
  readonly explain: (file: string, options: { readonly json?: true }) => Promise<void>
}

/**
 * @param args without the names of program and script
 * @returns the exit code; nothing is thrown
 */
export async function runCli(args: readonly string[]): Promise<number> {
  let exitCode = 0
  const commands: Commands = {
    run: (file, options) => execute('run', options, file, async () => (await import('./run.ts')).run(file, options)),
    lint: (files, options) =>
      execute('lint', options, undefined, async () => (await import('./lint.ts')).lint(files, options)),
    explain: (file, options) =>
      execute('explain', options, file, async () => (await import('./explain.ts')).explain(file, options)),
  }
  async function execute(
    name: string,
    options: { readonly json?: true },
    file: string | undefined,
    work: () => Promise<Outcome>,
  ): Promise<void> {
    const outcome = await work().catch((error: unknown) => failure(error, file))
    if (options.json) printEnvelope(name, outcome)
    exitCode = outcome.exitCode
  }

  const files = filesToLint(args)
  if (files !== undefined) await commands.lint(files, {})
  else if (!(await (await import('./program.ts')).callCommand(args, commands))) return 2
  return exitCode
}

/** Editors and commit hooks call `lint` all the time, so its plain form does without the 10 ms that reading arguments costs. */
function filesToLint([command, ...files]: readonly string[]): readonly string[] | undefined {
  return command === 'lint' && files.length > 0 && files.every((file) => !file.startsWith('-')) ? files : undefined
}

function failure(error: unknown, file: string | undefined): Outcome {
  for (const line of errorLines(error, file)) process.stderr.write(`${line}\n`)
  const envelopeError = toEnvelopeError(error)
  return { exitCode: exitCodeOf(error), summary: envelopeError.message, result: null, error: envelopeError }
}
