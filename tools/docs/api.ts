/**
 * docs/api/: a page for each entry point of the package, from the declarations and docstrings of its exports. Read with the API of
 * the TypeScript compiler itself, which version 7 calls unstable: it is used here alone.
 */
import { join } from 'node:path'
import { SyntaxKind } from 'typescript/unstable/ast'
import { API, type Checker, type Symbol } from 'typescript/unstable/sync'
import { type Declared, declaredOf } from './declarations.ts'
import { cell, GENERATED } from './tables.ts'

const PACKAGE = join(import.meta.dirname, '..', '..', 'packages', 'millrace')

interface EntryPoint {
  readonly name: string
  /** Of the page, in docs/api. */
  readonly page: string
  readonly file: string
  readonly what: string
}

const ENTRY_POINTS: readonly EntryPoint[] = [
  {
    name: 'millrace',
    page: 'millrace',
    file: 'src/index.ts',
    what: 'Sources, sinks, transactions, administration, and the server for metrics and the dashboard. All options are in [options](../options.md), all error codes in [errors](../errors.md).',
  },
  {
    name: 'millrace/broker',
    page: 'broker',
    file: 'src/broker/index.ts',
    what: 'A Kafka broker in the process, for tests; [testing](../testing.md) shows how to use it.',
  },
  {
    name: 'millrace/metrics',
    page: 'metrics',
    file: 'src/metrics/index.ts',
    what: 'Counters for programs, in the format of [Rivven](../migrating-from-rivven.md#metrics), and the table of [all metrics](../metrics.md).',
  },
]

const SECTIONS = ['Classes', 'Functions', 'Values', 'Types', 'Errors'] as const
type Section = (typeof SECTIONS)[number]

const SECTION_OF: ReadonlyMap<SyntaxKind, Section> = new Map([
  [SyntaxKind.ClassDeclaration, 'Classes'],
  [SyntaxKind.FunctionDeclaration, 'Functions'],
  [SyntaxKind.VariableDeclaration, 'Values'],
])

interface Export extends Declared {
  readonly name: string
  readonly section: Section
}

/** @throws when something that the package exports, or a member of it, has no docstring */
export function apiPages(): Map<string, string> {
  const api = new API({ cwd: PACKAGE })
  try {
    const snapshot = api.updateSnapshot({ openProjects: [join(PACKAGE, 'tsconfig.build.json')] })
    const { checker, program } = snapshot.getProjects()[0]!
    const exported = ENTRY_POINTS.map((entry) => {
      const file = program.getSourceFile(join(PACKAGE, entry.file))!
      const symbols = checker.getExportsOfModule(checker.getSymbolAtLocation(file)!)
      return { entry, exports: symbols.map((symbol) => exportOf(symbol, checker)) }
    })
    const missing = exported.flatMap(({ entry, exports }) =>
      exports.flatMap(({ name, doc, members }) => [
        ...(doc === '' ? [`${entry.name}: ${name}`] : []),
        ...members.filter((member) => member.doc === '').map(({ signature }) => `${entry.name}: ${name}: ${signature}`),
      ]),
    )
    if (missing.length > 0) throw new Error(`These exports and members have no docstring:\n${missing.join('\n')}`)
    return new Map(exported.map(({ entry, exports }) => [`docs/api/${entry.page}.md`, pageOf(entry, exports)] as const))
  } finally {
    api.close()
  }
}

function exportOf(exported: Symbol, checker: Checker): Export {
  const symbol = exported.declarations.every(({ kind }) => kind === SyntaxKind.ExportSpecifier)
    ? checker.getAliasedSymbol(exported)
    : exported
  const [first] = symbol.declarations
  const declared = declaredOf(first!.resolve()!)
  const section = SECTION_OF.get(first!.kind) ?? 'Types'
  return { ...declared, name: exported.name, section: exported.name.endsWith('Error') ? 'Errors' : section }
}

function pageOf({ name, what }: EntryPoint, exports: readonly Export[]): string {
  const parts = [`# ${name}`, GENERATED, what]
  for (const section of SECTIONS) {
    // Those of the index come in an order that says what matters; types are looked up by name.
    const list = exports.filter((each) => each.section === section)
    if (section === 'Types') list.sort((a, b) => (a.name < b.name ? -1 : 1))
    if (list.length > 0) parts.push(`## ${section}`, ...list.flatMap(partsOf))
  }
  return parts.join('\n\n')
}

function partsOf({ name, signature, doc, members, isLong }: Export): string[] {
  const code = isLong ? `\`\`\`typescript\n${signature}\n\`\`\`` : `\`${signature}\``
  const parts = [`### ${name}`, code, doc]
  const [rows, sections] = [members.filter(({ doc }) => !isBlock(doc)), members.filter(({ doc }) => isBlock(doc))]
  if (rows.length > 0)
    parts.push(
      [
        '| member | |',
        '|---|---|',
        ...rows.map((member) => `| \`${cell(member.signature)}\` | ${cell(member.doc)} |`),
      ].join('\n'),
    )
  return [...parts, ...sections.flatMap((member) => [`\`${member.signature}\``, member.doc])]
}

/** Lists, code and paragraphs do not fit into a table. */
function isBlock(doc: string): boolean {
  return /```|\n\s*[-|]/.test(doc)
}
