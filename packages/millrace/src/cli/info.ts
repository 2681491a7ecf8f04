/**
 * `millrace info`: all about one component, from its declaration.
 */
import { describe, type OptionRow } from '../options/describe.ts'
import { findComponents, titleOf, type ListedComponent } from './components.ts'
import { wrap } from './list.ts'
import type { Outcome } from './output.ts'
import { errorsOf, placesOf, usageOf } from './usage.ts'

export async function info(name: string, { json }: { readonly json?: true }): Promise<Outcome> {
  const found = findComponents(name)
  const components = await Promise.all(
    found.map(async (component) => {
      const { kind, role, name: own, aliases, summary, takes, options, load } = component
      const { examples = [] } = await load()
      const usedIn = placesOf(component)
      const errors = errorsOf(component)
      return { kind, role, name: own, aliases, summary, takes, usedIn, options: describe(options), examples, errors }
    }),
  )
  if (json === undefined) {
    const pages = await Promise.all(found.map(toPage))
    process.stdout.write(`${pages.join('\n\n')}\n`)
  }
  const summary = found.map((one) => `${titleOf(one)}: ${one.summary}`).join(' ')
  return { exitCode: 0, summary, result: { components } }
}

async function toPage(component: ListedComponent): Promise<string> {
  const { summary, takes, aliases, options, load } = component
  const { examples = [] } = await load()
  const width = Math.min(process.stdout.columns ?? 100, 120)
  const rows = describe(options)
  const errors = errorsOf(component)
  const shown = await Promise.all(
    examples.map(async ({ title, options: example, have = [], want = [] }) => [
      '',
      `Example: ${title}`,
      ...(await usageOf(component, example)).split('\n').map((line) => `  ${line}`),
      ...(have.length === 0 ? [] : ['  turns', ...have.map(rowLine), '  into', ...want.map(rowLine)]),
    ]),
  )
  return [
    titleOf(component),
    ...wrap(summary, width),
    ...(takes === undefined ? [] : wrap(`Takes ${takes[0]!.toLowerCase()}${takes.slice(1)}`, width)),
    ...placesOf(component).flatMap((place) => wrap(`In ${place}.`, width)),
    ...(aliases.length === 0 ? [] : wrap(`Other names: ${aliases.join(', ')}.`, width)),
    ...(rows.length === 0 ? [] : ['', 'Options', ...rows.flatMap((row) => optionLines(row, width))]),
    ...shown.flat(),
    ...(errors.length === 0 ? [] : ['', ...wrap(`Errors to know: ${errors.join(', ')}`, width)]),
  ].join('\n')
}

function rowLine(row: unknown): string {
  return `    ${JSON.stringify(row)}`
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
