/**
 * `millrace list`: all components.
 */
import { STAGE_NAMES } from '../stages/definitions/index.ts'
import { COMPONENTS } from './components.ts'
import { plural, type Outcome } from './output.ts'

export async function list({ json }: { readonly json?: true }): Promise<Outcome> {
  const components = COMPONENTS.map(({ kind, role, name, summary }) => ({ kind, role, name, summary }))
  if (json === undefined) process.stdout.write(`${linesOf(components).join('\n')}\n`)
  return {
    exitCode: 0,
    summary: plural(components.length, 'component'),
    result: { components, stages: STAGE_NAMES },
  }
}

function linesOf(
  components: readonly { readonly kind: string; readonly name: string; readonly summary: string }[],
): string[] {
  const width = Math.max(...components.map(({ name }) => name.length)) + 2
  const groups = Object.entries(Object.groupBy(components, ({ kind }) => kind))
  return groups.flatMap(([kind, entries]) => [
    `${kind}s`,
    ...entries!.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`),
  ])
}

/** Breaks text into lines between words. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}
