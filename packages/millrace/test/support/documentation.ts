/** Pipelines that stand in the documentation and in `examples/`. */
import { readdirSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join, relative } from 'node:path'
import { getStaticTOMLValue, parseTOML } from 'toml-eslint-parser'
import { parse as parseYaml } from 'yaml'

export const ROOT = join(import.meta.dirname, '../../../..')

/** Every page that people read, generated ones included, relative to the root of the repository. */
export function documents(): string[] {
  const folders = ['.', 'bench', 'chaos', 'examples', 'docs', 'docs/api', 'docs/components', 'docs/decisions']
  return folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  )
}

export interface Block {
  /** `README.md:25`: where it begins. */
  readonly place: string
  readonly value: unknown
  readonly text: string
}

const PARSERS: { readonly [language: string]: ((text: string) => unknown) | undefined } = {
  yaml: (text) => parseYaml(text) as unknown,
  yml: (text) => parseYaml(text) as unknown,
  toml: (text) => getStaticTOMLValue(parseTOML(text)),
  json: (text) => JSON.parse(text) as unknown,
}

/** Names at the top by which a block is known to be a pipeline, or a part of one. */
const TOP = [
  'source',
  'sink',
  'stages',
  'sources',
  'sinks',
  'bridges',
  'errorPolicy',
  'error_handling',
  'circuitBreaker',
  'delivery',
]

/** Every fenced block of README and `docs/` that is a pipeline or a part of one. */
export async function documentedPipelines(): Promise<Block[]> {
  const pages = (await readdir(join(ROOT, 'docs'), { recursive: true }))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name))
  const blocks: Block[] = []
  for (const page of ['README.md', ...pages]) {
    const text = await readFile(join(ROOT, page), 'utf8')
    for (const match of text.matchAll(/^( *)```(\w+)\n([\s\S]*?)^ *```/gm)) {
      const parse = PARSERS[match[2]!]
      if (parse === undefined) continue
      const place = `${page}:${text.slice(0, match.index).split('\n').length}`
      // JSON blocks may be lines of records; those are no pipelines.
      const value = match[2] === 'json' ? attempt(() => parse(match[3]!)) : parse(match[3]!)
      if (isPipeline(value)) blocks.push({ place, value, text: match[3]! })
    }
  }
  return blocks
}

/** Every file of `examples/`, test cases apart. */
export async function examples(): Promise<Block[]> {
  const folder = join(ROOT, 'examples')
  const names = (await readdir(folder)).filter(
    (name) => PARSERS[extname(name).slice(1)] !== undefined && !name.includes('.test.'),
  )
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(folder, name), 'utf8')
      return { place: relative(ROOT, join(folder, name)), value: PARSERS[extname(name).slice(1)]!(text), text }
    }),
  )
}

function isPipeline(value: unknown): value is { readonly [name: string]: unknown } {
  if (typeof value !== 'object' || value === null) return false
  const stages = Array.isArray(value) ? (value as unknown[]) : []
  return (
    TOP.some((name) => name in value) ||
    (stages.length > 0 &&
      stages.every(
        (stage) => typeof stage === 'object' && stage !== null && Object.keys(stage)[0]?.startsWith('$') === true,
      ))
  )
}

function attempt(read: () => unknown): unknown {
  try {
    return read()
  } catch {
    return undefined
  }
}
