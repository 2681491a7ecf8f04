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
try {
  for (const page of [
    'README.md',
    'packages/millrace/README.md',
    'docs/admin.md',
    'docs/consuming.md',
    'docs/migrating-from-kafkajs.md',
    'docs/monitoring.md',
    'docs/producing.md',
    'docs/security.md',
  ])
    for (const [index, [, block]] of [
      ...readFileSync(join(ROOT, page), 'utf8').matchAll(/^```ts\n(.*?)^```/gms),
    ].entries()) {
      const imported = new Set(['Admin', 'KafkaSink', 'KafkaSource'])
      const text = block!.replaceAll(/^import \{ (.*) \} from 'millrace'\n/gm, (_, names: string) => {
        for (const name of names.split(', ')) imported.add(name)
        return ''
      })
      const file = `${page.replaceAll(/\W/g, '-')}-${index}.mts`
      // What is given may be declared anew by a block, in a scope of its own.
      writeFileSync(
        join(directory, file),
        `import { ${[...imported].join(', ')} } from 'millrace'\n${GIVEN}\nexport async function run() {\n${text}}\nvoid KafkaSource\n`,
      )
    }
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions: COMPILER_OPTIONS }))
  const { status } = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['--project', directory], { stdio: 'inherit' })
  process.exitCode = status ?? 1
} finally {
  rmSync(directory, { recursive: true })
}
