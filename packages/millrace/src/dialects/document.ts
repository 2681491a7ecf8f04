/**
 * Reads a file as data and remembers where everything stands in it.
 */
import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import type { Document, LineCounter } from 'yaml'
import { ConfigError, type ConfigProblem } from '../errors/index.ts'
import { unreadableReason } from '../errors/unreadable.ts'
import { type Position, positionIn } from './position.ts'
import type { DottedKey } from './toml.ts'
import { explainYaml } from './yaml-errors.ts'

/** A file, read as YAML, JSON or TOML. */
export interface SourceDocument {
  readonly value: unknown
  /** Place of what stands under a dotted path, or of the closest thing above it. */
  readonly positionOf: (path: string) => Position | undefined
  /** Whether it is TOML, in which what to write instead looks different. */
  readonly isToml?: boolean
  /** In TOML. */
  readonly dottedKeys?: readonly DottedKey[]
  /** Whether a text is in quotes. */
  readonly quoting: (path: readonly (string | number)[]) => Quoting
}

/** `none`: YAML reads the text by its looks. `chosen`: in YAML, quotes say that it is text. `needed`: JSON and TOML know no other. */
export type Quoting = 'none' | 'chosen' | 'needed'

/** What stands for standard input in place of a file. */
export const STANDARD_INPUT = '-'

/**
 * Reads a file by its ending, or standard input by its looks.
 * @param file path, or `-`
 * @throws {ConfigError} `CONFIG_UNREADABLE` when the file does not exist or its syntax is wrong
 */
export async function readDocument(file: string): Promise<SourceDocument> {
  if (file === STANDARD_INPUT) {
    const text = await readText(file)
    return readAs(formatOf(text), file, text)
  }
  const ending = extname(file).toLowerCase()
  const format = FORMATS[ending]
  if (format === undefined)
    throw unreadable(file, [
      { path: '', message: `Cannot read "${file}" as its name must end in .yaml, .yml, .json or .toml` },
    ])
  return readAs(ending, file, await readText(file))
}

async function readAs(ending: string, file: string, text: string): Promise<SourceDocument> {
  return { ...(await FORMATS[ending]!(file, text)), isToml: ending === '.toml' }
}

/** By its first line that is not empty and no comment: `{` begins JSON, and `[table]` or `name = value` TOML. */
function formatOf(text: string): string {
  const first = /^(?!\s*(?:#|$)).*$/m.exec(text)?.[0].trim() ?? ''
  if (first.startsWith('{')) return '.json'
  return /^\[[\w."' -]+\]|^\[\[|^[\w."'-]+\s*=/.test(first) ? '.toml' : '.yaml'
}

/** What `!!` stands for. */
const CORE = 'tag:yaml.org,2002:'

type Read = Omit<SourceDocument, 'isToml'>

const FORMATS: { readonly [ending: string]: ((file: string, text: string) => Promise<Read>) | undefined } = {
  '.yaml': readYaml,
  '.yml': readYaml,
  '.json': readJson,
  '.toml': readTomlFile,
}

async function standardInput(): Promise<Uint8Array> {
  const { buffer } = await import('node:stream/consumers')
  return buffer(process.stdin)
}

async function readText(file: string): Promise<string> {
  try {
    const bytes = await (file === STANDARD_INPUT ? standardInput() : readFile(file))
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw unreadable(file, [{ path: '', message: `Cannot read "${file}": ${unreadableReason(error)}` }], error)
  }
}

async function readYaml(file: string, text: string, format = 'YAML'): Promise<Read> {
  const yaml = await import('yaml')
  const { isMap, isScalar, isSeq, LineCounter, parseDocument } = yaml
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true })
  const error = syntaxProblem(document, text, format, lines)
  if (error !== undefined) throw unreadable(file, [error])
  const lost = findUnkept(document, yaml)
  if (lost !== undefined)
    throw unreadable(file, [
      {
        path: '',
        ...place(lines.linePos(lost.offset)),
        message: `Cannot read the file as ${format}: ${lost.reason}`,
        suggestion: lost.suggestion,
      },
    ])
  let value: unknown
  try {
    value = document.toJS()
  } catch (error) {
    // An alias without an anchor, or so many of them that the document would blow up.
    throw unreadable(
      file,
      [{ path: '', message: `Cannot read the file as YAML: ${firstLine((error as Error).message)}` }],
      error,
    )
  }
  return {
    value,
    quoting: (path) => {
      const node = document.getIn(path, true)
      return isScalar(node) && node.type === 'PLAIN' ? 'none' : 'chosen'
    },
    positionOf: (path) => {
      let node: unknown = document.contents
      let offset = rangeStart(node) ?? 0
      let parts = path === '' ? [] : path.split('.')
      while (parts.length > 0) {
        if (isMap(node)) {
          const [length, pair] = longestKey(node.items, parts)
          if (pair === undefined) break
          offset = rangeStart(pair.key) ?? offset
          node = pair.value
          parts = parts.slice(length)
        } else if (isSeq(node)) {
          const item: unknown = node.items[Number(parts[0])]
          if (item === undefined) break
          offset = rangeStart(item) ?? offset
          node = item
          parts = parts.slice(1)
        } else break
      }
      return place(lines.linePos(offset))
    },
  }
}

/** JSON is YAML as far as positions are concerned, but stricter. */
async function readJson(file: string, text: string): Promise<Read> {
  let value: unknown
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    const message = firstLine((error as Error).message)
    const at = /position (\d+)/.exec(message)?.[1]
    const position = at === undefined ? {} : positionIn(text, Number(at))
    throw unreadable(
      file,
      [
        {
          path: '',
          ...position,
          message: `Cannot read the file as JSON: ${message.replace(/ (?:in JSON )?at position.*$/, '')}`,
        },
      ],
      error,
    )
  }
  // YAML's parser knows what JSON's does not: the place of each value, keys that are there twice, and digits that are lost.
  const { positionOf } = await readYaml(file, text, 'JSON')
  return { value, positionOf, quoting: () => 'needed' }
}

async function readTomlFile(file: string, text: string): Promise<Read> {
  const { readToml, TomlError } = await import('./toml.ts')
  try {
    return { ...(await readToml(text)), quoting: () => 'needed' }
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    throw unreadable(file, [error.toProblem('the file')], error)
  }
}

/** What is wrong with the syntax. One error causes others after it, so only the first one is reported. */
function syntaxProblem(
  document: Document.Parsed,
  text: string,
  format: string,
  lines: LineCounter,
): ConfigProblem | undefined {
  const error = document.errors
    // JSON has been parsed before: what else YAML has against it, such as tabs, does not count.
    .filter(({ code }) => format === 'YAML' || code === 'DUPLICATE_KEY')
    .toSorted((a, b) => a.pos[0] - b.pos[0])[0]
  if (error === undefined) return undefined
  const { reason, ...advice } = explainYaml(error, text)
  const message = `Cannot read the file as ${format}: ${reason}`
  return { path: '', ...place(lines.linePos(error.pos[0])), message, ...advice }
}

interface Unkept {
  readonly reason: string
  readonly suggestion: string
  readonly offset: number
}

/** Types of YAML that JSON has, too. */
const JSON_TAGS = new Set([
  '!',
  ...['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((name) => `${CORE}${name}`),
])

/** The first thing that cannot be kept as it is written. */
function findUnkept(document: Document.Parsed, { visit, isCollection }: typeof import('yaml')): Unkept | undefined {
  let found: Unkept | undefined
  const lose = (range: unknown, reason: string | undefined, suggestion: string): symbol | undefined => {
    if (reason === undefined) return undefined
    found = { reason, suggestion, offset: rangeStart({ range }) ?? 0 }
    return visit.BREAK
  }
  const tagged = ({
    tag,
    range,
  }: {
    readonly tag?: string | undefined
    readonly range?: unknown
  }): symbol | undefined => {
    const isKept = tag === undefined || JSON_TAGS.has(tag)
    return lose(range, isKept ? undefined : `tag ${tag.replace(CORE, '!!')} is not supported`, 'remove it')
  }
  visit(document, {
    Scalar(_, node) {
      const { value, source = '', range } = node
      const reason = typeof value === 'number' ? whyUnkept(value, source) : undefined
      return tagged(node) ?? lose(range, reason, 'write it in quotes to keep it as text')
    },
    Collection: (_, node) => tagged(node),
    Pair: (_, { key }) =>
      isCollection(key) ? lose(key.range, 'a key is a list or an object', 'write it in quotes') : undefined,
  })
  return found
}

/** Why a number cannot be kept as it is written; undefined when it can. */
function whyUnkept(value: number, source: string): string | undefined {
  if (!Number.isFinite(value)) return `number ${source} is not one that JSON can hold`
  return /^[-+]?(?:\d+|0o[0-7]+|0x[\da-fA-F]+)$/.test(source) && !Number.isSafeInteger(value)
    ? `integer ${source} is beyond 2^53 and would be rounded`
    : undefined
}

/** Keys may hold dots (`enable.auto.commit`), so the longest key that fits is taken. */
function longestKey<P extends { readonly key: unknown }>(
  pairs: readonly P[],
  parts: readonly string[],
): [length: number, pair: P | undefined] {
  for (let length = parts.length; length > 0; length--) {
    const name = parts.slice(0, length).join('.')
    const pair = pairs.find(({ key }) => String((key as { value?: unknown } | null)?.value ?? key) === name)
    if (pair !== undefined) return [length, pair]
  }
  return [0, undefined]
}

function rangeStart(node: unknown): number | undefined {
  return (node as { range?: readonly number[] | null } | null | undefined)?.range?.[0]
}

function place({ line, col }: { readonly line: number; readonly col: number }): Position {
  return { line: Math.max(1, line), column: Math.max(1, col) }
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!.replace(/[.:]$/, '')
}

function unreadable(file: string, problems: readonly ConfigProblem[], cause?: unknown): ConfigError {
  return new ConfigError(`Cannot read pipeline file "${file}"`, problems, { code: 'CONFIG_UNREADABLE', cause })
}
