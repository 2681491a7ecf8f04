/** docs/components: one page for each source, sink, connector, stage and function. */
import { COMPONENTS, referenceOf, titleOf, type ListedComponent } from '../../packages/millrace/src/cli/components.ts'
import { errorsOf, placesOf, usageOf } from '../../packages/millrace/src/cli/usage.ts'
import { ERROR_CODES } from '../../packages/millrace/src/errors/codes.ts'
import { cell, GENERATED, optionTable } from './tables.ts'

/** Name of the files about a component, without suffix: `function-kafka-sink`. */
export function componentFile(component: ListedComponent): string {
  return titleOf(component).replaceAll(/\W+/g, '-').replace(/-$/, '')
}

export async function componentPage(component: ListedComponent): Promise<string> {
  const { kind, summary, takes, aliases, options, load } = component
  const { examples = [] } = await load()
  const errors = errorsOf(component)
  const title = titleOf(component)
  const shown = await Promise.all(
    examples.map(async ({ title: name, options: example, have = [], want = [] }) => [
      `### ${name}`,
      block('yaml', await usageOf(component, example)),
      ...(have.length === 0 ? [] : ['turns', rows(have), 'into', want.length === 0 ? 'nothing.' : rows(want)]),
    ]),
  )
  return [
    `# ${title[0]!.toUpperCase()}${title.slice(1)}`,
    GENERATED,
    summary + (takes === undefined ? '' : ` ${takes}`),
    `Used in ${placesOf(component).join('; ')}.${aliases.length === 0 ? '' : ` Other names: ${aliases.map((alias) => `\`${alias}\``).join(', ')}.`}`,
    ...shown.flat(),
    ...(Object.keys(options).length > 0
      ? ['## Options', optionTable(options)]
      : kind === 'stage'
        ? []
        : ['## Options', 'There are none.']),
    ...(errors.length === 0
      ? []
      : ['## Errors', errors.map((code) => `- [\`${code}\`](../errors.md): ${ERROR_CODES[code].doc}`).join('\n')]),
    [
      GUIDES[kind],
      `[JSON Schema](../schema/${componentFile(component)}.json), \`millrace spec ${shellName(component)}\``,
      '[all components](README.md)',
    ].join(' · '),
  ].join('\n\n')
}

const GUIDES: { readonly [kind in ListedComponent['kind']]: string } = {
  source: '[How options are written](../options.md)',
  sink: '[How options are written](../options.md)',
  connector: '[Files of connectors](../migrating-from-rivven.md)',
  stage: '[Linear files](../migrating-from-fluxion.md)',
  function: '[Stage graphs](../migrating-from-conveyor.md)',
}

/** A dollar sign means something to shells. */
function shellName(component: ListedComponent): string {
  return referenceOf(component).replace('$', '')
}

export function componentsPage(): string {
  const table = (entries: readonly ListedComponent[], link: string): string =>
    [
      `| ${link} | what it does |`,
      '|---|---|',
      ...entries.map(
        (one) =>
          `| [\`${one.name}\`](${componentFile(one)}.md)${one.kind === 'function' ? ` ${one.role}` : ''} | ${cell(one.summary)} |`,
      ),
    ].join('\n')
  const of = (kind: ListedComponent['kind']): readonly ListedComponent[] =>
    COMPONENTS.filter((one) => one.kind === kind)
  return [
    '# Components',
    GENERATED,
    '`millrace list` and `millrace info NAME` say the same on the terminal, `millrace spec NAME` as JSON Schema; the schemas are in [docs/schema](../schema).',
    '## Sources',
    table(of('source'), 'type'),
    '## Sinks',
    table(of('sink'), 'type'),
    '## Connectors',
    `Files of connectors name one of these, or ${listed(SHARED.map((name) => `\`${name}\``))} of the sources and sinks above, with their options under \`config\`.`,
    table(of('connector'), 'connector'),
    '## Stages',
    "Steps between source and sink, as in MongoDB's aggregation pipelines.",
    table(of('stage'), 'stage'),
    '## Functions',
    'Stages of files that are a graph of stages name one of these.',
    table(of('function'), 'function'),
  ].join('\n\n')
}

const SHARED = [
  ...new Set(
    COMPONENTS.filter(({ kind, name }) => (kind === 'source' || kind === 'sink') && name !== 'kafka').map(
      ({ name }) => name,
    ),
  ),
]

function listed(names: readonly string[]): string {
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}

function rows(list: readonly unknown[]): string {
  return block('json', list.map((row) => JSON.stringify(row)).join('\n'))
}

function block(language: string, text: string): string {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``
}
