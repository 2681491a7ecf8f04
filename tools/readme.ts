/**
 * Compiles the TypeScript of the READMEs and of the pages about the library as a strict program that has the built package would,
 * declarations of libraries included.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What the pages leave to their readers. */
const GIVEN = `
interface Order { readonly amount: number }
declare const bootstrapServers: string
declare const sink: KafkaSink
declare const source: KafkaSource
declare const credential: { getToken(): Promise<{ readonly accessToken: string; readonly expiresOn: Date }> }
declare const order: Order
declare const serializer: import('millrace').SchemaSerializer<Order>
declare function save(value: unknown): Promise<void>
declare function invoiceFor(value: Buffer | null): Buffer
`
const ROOT = join(import.meta.dirname, '..')
const COMPILER_OPTIONS = {
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  noEmit: true,
  target: 'es2024',
  lib: ['es2024', 'esnext.disposable'],
  module: 'nodenext',
  types: ['node'],
  typeRoots: [join(ROOT, 'node_modules/@types')],
  paths: { millrace: [join(ROOT, 'packages/millrace/dist/index.d.ts')] },
}

const directory = mkdtempSync(join(tmpdir(), 'millrace-readme-'))

/** Each block of a page as a module. */
function writeBlocks(page: string): void {
  const content = readFileSync(join(ROOT, page), 'utf8')
  for (const [index, [, block]] of [...content.matchAll(/^```ts\n(.*?)^```/gms)].entries()) {
    const imported = new Set(['Admin', 'KafkaSink', 'KafkaSource'])
    const text = block!.replaceAll(/^import \{ (.*) \} from 'millrace'\n/gm, (_, names: string) => {
      for (const name of names.split(', ')) imported.add(name)
      return ''
    })
    // Examples of docstrings leave out what they are about.
    if (page.startsWith('docs/api/'))
      for (const [name] of text.matchAll(/\b[A-Z]\w+/g)) if (content.includes(`\n### ${name}\n`)) imported.add(name)
    const file = `${page.replaceAll(/\W/g, '-')}-${index}.mts`
    // What is given may be declared anew by a block, in a scope of its own.
    writeFileSync(
      join(directory, file),
      `import { ${[...imported].join(', ')} } from 'millrace'\n${GIVEN}\nexport async function run() {\n${text}}\nvoid KafkaSource\n`,
    )
  }
}

try {
  for (const page of [
    'README.md',
    'packages/millrace/README.md',
    'docs/admin.md',
    'docs/api/millrace.md',
    'docs/consuming.md',
    'docs/library-guide.md',
    'docs/migrating-from-kafkajs.md',
    'docs/migrating-from-platformatic-kafka.md',
    'docs/monitoring.md',
    'docs/producing.md',
    'docs/security.md',
  ])
    writeBlocks(page)
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions: COMPILER_OPTIONS }))
  const { status } = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['--project', directory], { stdio: 'inherit' })
  process.exitCode = status ?? 1
} finally {
  rmSync(directory, { recursive: true })
}
