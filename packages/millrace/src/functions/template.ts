/**
 * Templates of `http.fetch`, in the syntax of Handlebars: `{{ column.inner }}`, `{{{ unescaped }}}`, `{{! comment }}`, and the
 * blocks `#each`, `#if`, `#unless` and `#with`, each with `{{else}}`. Inside of blocks `this`, `../outer`, `@index`, `@key`,
 * `@first`, `@last` and `@root`. There are no other helpers.
 */
import { didYouMean } from '../options/suggest.ts'
import { cellText } from './rows/row-text.ts'
import { columnReader, type Row } from './rows/values.ts'

/** Makes a text fit for where it is put. */
export type Escape = (text: string, isAtStart: boolean, value: unknown) => string

/** In an address: everything but what begins it, which may be a whole address. */
export const escapeUrl: Escape = (text, isAtStart) => (isAtStart ? text : encodeURIComponent(text))

/** In a body of JSON: as inside of quotes. Objects and lists are put in as JSON. */
export const escapeJson: Escape = (text, _, value) =>
  typeof value === 'object' && value !== null ? text : JSON.stringify(text).slice(1, -1)

/** What a template is filled from: a row, or an element of a list with what stands around it. */
interface Scope {
  readonly value: unknown
  readonly data: Row
  readonly outer: Scope | undefined
}
type Part = (scope: Scope, escape: Escape) => string

const BLOCKS = ['each', 'if', 'unless', 'with']
/** A brace more on either side makes a tag raw; one on the right alone belongs to the text behind it, as in `{"a":{"b":{{c}}}}`. */
const TAG = /(\s*)\{\{(~?)(?:(!--[\s\S]*?--|![\s\S]*?)|\{\s*([^{}]*?)\s*\}|\s*([#/^&]?)\s*([^{}]*?)\s*)(~?)\}\}(\s*)/g
const PATH = /^(?:\.|@?[^\s"'(){}=|]+)$/

/** @throws {Error} that says what is wrong with the template */
export function compileTemplate(template: string): (row: Row, escape: Escape) => string {
  const tags = [...template.matchAll(TAG)]
  let next = 0
  let at = 0
  /** Reads up to the end of a block. @returns the parts, and what ended them: `/name`, `else` with what follows, or nothing */
  const read = (block: string | undefined): { readonly part: Part; readonly end: string | undefined } => {
    const parts: Part[] = []
    const text = (to: number): void => {
      const literal = template.slice(at, to)
      if (literal.includes('{{'))
        throw new Error(`Cannot read ${literal.slice(literal.indexOf('{{'))}: a tag ends in }}`)
      if (literal !== '') parts.push(() => literal)
    }
    while (next < tags.length) {
      const tag = tags[next++]!
      const [whole, before, trimsBefore, comment, raw, sign, escaped = '', trimsAfter, after] = tag
      const content = raw ?? escaped
      text(trimsBefore === '' ? tag.index + before!.length : tag.index)
      at = tag.index + whole.length - (trimsAfter === '' ? after!.length : 0)
      if (comment !== undefined) continue
      const [word, ...rest] = content.split(/\s+/) as [string, ...string[]]
      if (sign === '#') parts.push(readBlock(word, rest))
      else if (sign === '/') {
        if (word === block) return { part: joined(parts), end: '/' }
        throw new Error(`{{/${word}}} closes ${block === undefined ? 'nothing' : `{{#${block}}}`}`)
      } else if ((sign === '^' && content === '') || word === 'else') {
        if (block === undefined) throw new Error('{{else}} is outside a block')
        return { part: joined(parts), end: rest.join(' ') }
      } else parts.push(valueOf(content, raw !== undefined || sign === '&', tag.index === 0))
    }
    if (block !== undefined) throw new Error(`{{#${block}}} is not closed: {{/${block}}} is missing`)
    text(template.length)
    return { part: joined(parts), end: undefined }
  }
  const readBlock = (name: string, [path, ...more]: readonly string[], closes = name): Part => {
    if (!BLOCKS.includes(name)) throw new Error(`Unknown helper "#${name}": ${hint(name)}`)
    if (path === undefined || more.length > 0) throw new Error(`{{#${name}}} takes one column`)
    const { part: inner, end } = read(closes)
    let otherwise: Part = () => ''
    if (end !== '/' && end !== undefined) {
      // `{{else if column}}` is a block in the other branch, which the same tag closes.
      const [word, ...rest] = end.split(' ') as [string, ...string[]]
      otherwise = word === '' ? read(closes).part : readBlock(word, rest, closes)
    }
    return blockOf(name, lookUp(path), inner, otherwise)
  }
  const { part } = read(undefined)
  return (row, escape) => part({ value: row, data: { '@root': row }, outer: undefined }, escape)
}

function hint(name: string): string {
  return didYouMean(name, BLOCKS) ?? `there are ${BLOCKS.map((block) => `#${block}`).join(', ')}`
}

function joined(parts: readonly Part[]): Part {
  return (scope, escape) => parts.map((part) => part(scope, escape)).join('')
}

function valueOf(path: string, isRaw: boolean, isAtStart: boolean): Part {
  if (!PATH.test(path))
    throw new Error(
      /\s/.test(path)
        ? `Unknown helper "${path.split(/\s/)[0]}": only columns and blocks are supported`
        : `Cannot read {{${path}}}`,
    )
  const read = lookUp(path)
  return (scope, escape) => {
    const value = read(scope)
    return isRaw ? cellText(value) : escape(cellText(value), isAtStart, value)
  }
}

function blockOf(name: string, read: (scope: Scope) => unknown, inner: Part, otherwise: Part): Part {
  if (name === 'if') return (scope, escape) => (isEmpty(read(scope)) ? otherwise : inner)(scope, escape)
  if (name === 'unless') return (scope, escape) => (isEmpty(read(scope)) ? inner : otherwise)(scope, escape)
  if (name === 'with')
    return (scope, escape) => {
      const value = read(scope)
      return isEmpty(value) ? otherwise(scope, escape) : inner({ value, data: scope.data, outer: scope }, escape)
    }
  return (scope, escape) => {
    const list = read(scope)
    const entries = typeof list === 'object' && list !== null ? Object.entries(list) : []
    if (entries.length === 0) return otherwise(scope, escape)
    return entries
      .map(([key, value]: [string, unknown], i) => {
        const data = { ...scope.data, '@index': i, '@key': key, '@first': i === 0, '@last': i === entries.length - 1 }
        return inner({ value, data, outer: scope }, escape)
      })
      .join('')
  }
}

/** As Handlebars sees it: 0 is empty, too. */
function isEmpty(value: unknown): boolean {
  return Array.isArray(value) ? value.length === 0 : !value
}

/** What a path means: a column, `this`, something of the block around, or `@index` and the like. */
function lookUp(path: string): (scope: Scope) => unknown {
  if (path.startsWith('../')) {
    const read = lookUp(path.slice(3) || 'this')
    return ({ outer }) => (outer === undefined ? undefined : read(outer))
  }
  if (path === 'this' || path === '.' || path === '..')
    return path === '..' ? ({ outer }) => outer?.value : ({ value }) => value
  const read = columnReader(
    path
      .replace(/^(?:this[./]|\.\/)/, '')
      .replaceAll('[', '')
      .replaceAll(']', ''),
  )
  if (path.startsWith('@')) return ({ data }) => read(data)
  return ({ value }) => (typeof value === 'object' && value !== null ? read(value as Row) : undefined)
}
