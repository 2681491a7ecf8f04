/** docs/cli.md, from `--help`. */
import { createProgram } from '../../packages/millrace/src/cli/program.ts'
import { GENERATED } from './tables.ts'

const WIDTH = 100

export async function cliPage(): Promise<string> {
  const program = createProgram('', async () => {})
  const sections = program.commands.flatMap((command) => [`## millrace ${command.name()}`, helpOf(command)])
  return ['# Command line', GENERATED, helpOf(program), ...sections].join('\n\n')
}

type Command = ReturnType<typeof createProgram>

function helpOf(command: Command): string {
  let text = ''
  command.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => WIDTH })
  command.outputHelp()
  return `\`\`\`text\n${text.trim()}\n\`\`\``
}
