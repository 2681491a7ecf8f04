/** The TypeScript of READMEs and of the pages about the library, block by block: `tools/readme.ts` compiles it, and a test runs it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..', '..')

/** Pages whose blocks are programs. Those of docs/testing.md are files of tests, which a test of their own runs. */
const PAGES = [
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
  'docs/schemas.md',
  'docs/security.md',
]

/** A block of code that imports nothing but what `imported` names. */
export interface TypeScriptBlock {
  /** `docs/admin.md:5`: where it begins. */
  readonly place: string
  readonly text: string
  /** Names of the package, without `type`. */
  readonly imported: readonly string[]
}

export function typeScriptBlocks(): readonly TypeScriptBlock[] {
  return PAGES.flatMap((page) => {
    const content = readFileSync(join(ROOT, page), 'utf8')
    return Array.from(content.matchAll(/^```ts\n(.*?)^```/gms), ({ 1: block, index }) => {
      const imported = new Set(['Admin', 'KafkaSink', 'KafkaSource'])
      const text = block!.replaceAll(/^import \{ (.*) \} from 'millrace'\n/gm, (_, names: string) => {
        for (const name of names.split(', ')) imported.add(name)
        return ''
      })
      // Examples of docstrings leave out what they are about.
      if (page.startsWith('docs/api/'))
        for (const [name] of text.matchAll(/\b[A-Z]\w+/g)) if (content.includes(`\n### ${name}\n`)) imported.add(name)
      return { place: `${page}:${content.slice(0, index).split('\n').length}`, text, imported: [...imported] }
    })
  })
}
