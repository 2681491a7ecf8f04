/**
 * `millrace info`: all about one component, from its declaration.
 */
import { describe, type OptionRow } from '../options/describe.ts'
import { findComponents, type ListedComponent } from './components.ts'
import { wrap } from './list.ts'
import type { Outcome } from './output.ts'

export async function info(name: string, { json }: { readonly json?: true }): Promise<Outcome> {
  const found = findComponents(name)
  const components = await Promise.all(
    found.map(async ({ kind, name: own, summary, options, load }) => {
      const { examples = [] } = await load()
      return { kind, name: own, summary, options: describe(options), examples }
    }),
  )
  if (json === undefined) {
    const pages = await Promise.all(found.map(toPage))
    process.stdout.write(`${pages.join('\n\n')}\n`)
  }
  return {
    exitCode: 0,
    summary: components.map(({ kind, name: own, summary }) => `${kind} ${own}: ${summary}`).join(' '),
    result: { components },
  }
}

async function toPage({ kind, name, summary, options, load }: ListedComponent): Promise<string> {
  const { stringify } = await import('yaml')
  const { examples = [] } = await load()
  const width = Math.min(process.stdout.columns ?? 100, 120)
  return [
    `${kind} ${name}`,
    ...wrap(summary, width),
    '',
    'Options',
    ...describe(options).flatMap((row) => optionLines(row, width)),
    ...examples.flatMap(({ title, options: example }) => [
      '',
      `Example: ${title}`,
      ...stringify({ [kind]: { type: name, options: example } })
        .trimEnd()
        .split('\n')
        .map((line) => `  ${line}`),
    ]),
  ].join('\n')
}

function optionLines(
  { name, kafka, aliases, type, required, default: standard, unit, doc, secret }: OptionRow,
  width: number,
): string[] {
  const others = [...(kafka === undefined ? [] : [kafka]), ...aliases]
  const value = required
    ? 'required'
    : standard === undefined
      ? ''
      : `default ${standard === '' ? '""' : standard}${unit === undefined ? '' : ` ${unit}`}`
  const facts = [type, value, secret ? 'secret' : ''].filter((fact) => fact !== '').join('; ')
  return [
    `  ${name}${others.length === 0 ? '' : ` (${others.join(', ')})`}`,
    ...wrap(facts, width - 6).map((line) => `      ${line}`),
    ...wrap(doc, width - 6).map((line) => `      ${line}`),
  ]
}
