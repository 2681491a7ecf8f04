/**
 * Compiles the TypeScript of the READMEs and of the pages about the library as a strict program that has the built package would,
 * declarations of libraries included.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TypeScriptBlock, typeScriptBlocks } from './docs/typescript-blocks.ts'

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

/** A block as a module. */
function moduleOf({ text, imported }: TypeScriptBlock): string {
  // What is given may be declared anew by a block, in a scope of its own.
  return `import { ${imported.join(', ')} } from 'millrace'\n${GIVEN}\nexport async function run() {\n${text}}\nvoid KafkaSource\n`
}

try {
  for (const block of typeScriptBlocks())
    writeFileSync(join(directory, `${block.place.replaceAll(/\W/g, '-')}.mts`), moduleOf(block))
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions: COMPILER_OPTIONS }))
  const { status } = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['--project', directory], { stdio: 'inherit' })
  process.exitCode = status ?? 1
} finally {
  rmSync(directory, { recursive: true })
}
