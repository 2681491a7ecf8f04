/** docs/components: one page for each source, sink and function. */
import { COMPONENTS, titleOf, usageOf, type ListedComponent } from '../../packages/millrace/src/cli/components.ts'
import { STAGE_NAMES } from '../../packages/millrace/src/stages/names.ts'
import { cell, GENERATED, optionTable } from './tables.ts'

export function componentFile(component: ListedComponent): string {
  return `${titleOf(component).replaceAll(/\W+/g, '-').replace(/-$/, '')}.md`
}

export async function componentPage(component: ListedComponent): Promise<string> {
  const { kind, summary, options, load } = component
  const { examples = [] } = await load()
  const title = titleOf(component)
  const shown = await Promise.all(
    examples.map(async ({ title: name, options: example, have = [], want = [] }) => [
      `### ${name}`,
      block('yaml', await usageOf(component, example)),
      ...(have.length === 0 ? [] : ['makes of', rows(have), 'this:', want.length === 0 ? 'nothing.' : rows(want)]),
    ]),
  )
  return [
    `# ${title[0]!.toUpperCase()}${title.slice(1)}`,
    GENERATED,
    summary,
    ...shown.flat(),
    '## Options',
    ...(Object.keys(options).length === 0 ? ['There are none.'] : [optionTable(options)]),
    kind === 'function'
      ? '[Stage graphs](../migrating-from-conveyor.md) · [all components](README.md)'
      : '[How options are written](../options.md) · [all components](README.md)',
  ].join('\n\n')
}

export function componentsPage(): string {
  const table = (entries: readonly ListedComponent[], link: string): string =>
    [
      `| ${link} | what it does |`,
      '|---|---|',
      ...entries.map(
        (one) =>
          `| [\`${one.name}\`](${componentFile(one)})${one.kind === 'function' ? ` ${one.role}` : ''} | ${cell(one.summary)} |`,
      ),
    ].join('\n')
  const of = (kind: ListedComponent['kind']): readonly ListedComponent[] =>
    COMPONENTS.filter((one) => one.kind === kind)
  return [
    '# Components',
    GENERATED,
    '`millrace list` and `millrace info NAME` say the same on the terminal, `millrace spec NAME` as JSON Schema.',
    '## Sources',
    table(of('source'), 'type'),
    '## Sinks',
    table(of('sink'), 'type'),
    '## Stages',
    `Steps between source and sink, as in MongoDB's aggregation pipelines: ${STAGE_NAMES.map((name) => `\`${name}\``).join(', ')}.`,
    '## Functions',
    'Stages of files that are a graph of stages name one of these.',
    table(of('function'), 'function'),
  ].join('\n\n')
}

function rows(list: readonly unknown[]): string {
  return block('json', list.map((row) => JSON.stringify(row)).join('\n'))
}

function block(language: string, text: string): string {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``
}
