/**
 * Patterns in the syntax of RE2, which Apache Kafka reads them with, turned into JavaScript's. RE2 has no look-around and no
 * references to groups, and a few things of its own. What it refuses is refused here, too, and so is the little that
 * JavaScript has no equal for.
 */

/** A pattern cannot be read; the text is what Apache Kafka says about it. */
class PatternError extends Error {}

const POSIX_CLASSES: { readonly [name: string]: string } = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7F',
  blank: '\\t ',
  cntrl: '\\x00-\\x1F\\x7F',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`\\{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
}
const MAX_REPETITIONS = 1000
const ESCAPES: { readonly [letter: string]: string } = { A: '(?<![^])', z: '(?![^])', a: '\\x07' }

/**
 * @returns a pattern that matches whole texts
 * @throws {Error} it is refused; see `problemOfPattern`
 */
export function compilePattern(text: string): RegExp {
  const translation = new Translation(text)
  translation.run()
  const { source, flags } = translation
  try {
    return new RegExp(`^(?:${source})$`, flags)
  } catch {
    throw new PatternError('the embedded broker does not support it')
  }
}

/** Why a pattern is refused; `undefined` when it is not. */
export function problemOfPattern(text: string): string | undefined {
  try {
    compilePattern(text)
    return undefined
  } catch (error) {
    if (error instanceof PatternError) return error.message
    throw error
  }
}

class Translation {
  readonly #text: string
  #at = 0
  #depth = 0
  /** What comes before a repetition. */
  #before: 'nothing' | 'atom' | 'repetition' = 'nothing'
  source = ''
  flags = 'u'

  constructor(text: string) {
    this.#text = text
  }

  run(): void {
    const flags = this.#take(/\(\?([ims]+)\)/y)
    if (flags !== undefined) this.flags += [...new Set(flags[1])].join('')
    while (this.#at < this.#text.length) this.#next()
    if (this.#depth > 0) throw new PatternError('missing closing )')
  }

  /** What the pattern has at this place, which is then passed. */
  #take(expected: RegExp): RegExpExecArray | undefined {
    expected.lastIndex = this.#at
    const found = expected.exec(this.#text) ?? undefined
    if (found !== undefined) this.#at = expected.lastIndex
    return found
  }

  #next(): void {
    if (this.#repetition()) return
    const character = this.#take(/[^]/uy)![0]
    switch (character) {
      case '(':
        return this.#open()
      case ')':
        if (--this.#depth < 0) throw new PatternError('unexpected )')
        return this.#atom(')')
      case '[':
        return this.#atom(this.#class())
      case '\\':
        return this.#atom(this.#escape(false))
      case '^':
      case '$':
        // As a group, for RE2 lets it be repeated.
        return this.#atom(`(?:${character})`)
      case '|':
        this.#before = 'nothing'
        this.source += '|'
        return undefined
      default:
        return this.#atom(/[\]{}]/.test(character) ? `\\${character}` : character)
    }
  }

  #atom(source: string): void {
    this.source += source
    this.#before = 'atom'
  }

  /** @returns whether there is one */
  #repetition(): boolean {
    const found = this.#take(/(?:[*+?]|\{(\d+)(,?)(\d*)\})(\??)/y)
    if (found === undefined) return false
    const [source, least, , most] = found
    if (this.#before === 'repetition') throw new PatternError('invalid nested repetition operator')
    if (this.#before === 'nothing') throw new PatternError('missing argument to repetition operator')
    const isTooMuch = Math.max(Number(least ?? 0), Number(most ?? 0)) > MAX_REPETITIONS
    if (isTooMuch || (most !== undefined && most !== '' && Number(most) < Number(least)))
      throw new PatternError('invalid repeat count')
    this.source += source
    this.#before = 'repetition'
    return true
  }

  #open(): void {
    this.#depth++
    this.#before = 'nothing'
    let flags: RegExpExecArray | undefined
    const name = this.#take(/\?P?<([A-Za-z_]\w*)>/y)
    if (name !== undefined) this.source += `(?<${name[1]}>`
    else if ((flags = this.#take(/\?[ims]*(?:-[ims]+)?:/y)) !== undefined) this.source += `(${flags[0]}`
    else if (this.#take(/\?P?</y) !== undefined) throw new PatternError('invalid named capture')
    else if (this.#take(/\?/y) !== undefined) throw new PatternError('invalid or unsupported Perl syntax')
    else this.source += '('
  }

  #class(): string {
    let source = this.#take(/\^/y) === undefined ? '[' : '[^'
    for (let isFirst = true, afterSet = false; ; isFirst = false) {
      if (!isFirst && this.#take(/\]/y) !== undefined) return `${source}]`
      const posix = this.#take(/\[:(\^?)(\w+):\]/y)
      if (posix !== undefined) {
        const set = posix[1] === '' ? POSIX_CLASSES[posix[2]!] : undefined
        if (set === undefined) throw new PatternError('invalid character class range')
        source += set
        afterSet = true
        continue
      }
      const character = this.#take(/[^]/uy)?.[0]
      if (character === undefined) throw new PatternError('missing closing ]')
      const part = character === '\\' ? this.#escape(true) : character
      // Behind a set, a hyphen is one.
      const isLiteral = /^[[\]^]$/.test(part) || (part === '-' && afterSet)
      source += isLiteral ? `\\${part}` : part
      afterSet = /^\\[DPSWdpsw]/.test(part)
    }
  }

  /** What follows a backslash. */
  #escape(isInClass: boolean): string {
    const quoted = isInClass ? undefined : this.#take(/Q([^]*?)(?:\\E|$)/y)
    if (quoted !== undefined) return quoted[1]!.replaceAll(/[$()*+./?[\\\]^{|}]/g, '\\$&')
    const octal = this.#take(/0[0-7]{0,2}|[1-7][0-7]{1,2}/y)
    if (octal !== undefined) return `\\u{${Number.parseInt(octal[0], 8).toString(16)}}`
    const code = this.#take(/x(?:([\dA-Fa-f]{2})|\{([\dA-Fa-f]+)\})/y)
    if (code !== undefined) return `\\u{${code[1] ?? code[2]}}`
    const property = this.#take(/([Pp])(?:([A-Z])|\{(\^?)(\w+)\})/y)
    if (property !== undefined) return this.#property(property)
    const character = this.#take(/[^]/uy)?.[0]
    if (character === undefined) throw new PatternError('trailing backslash at end of expression')
    if (/[DSWdfnrstvw]/.test(character)) return `\\${character}`
    if (!isInClass && /[Bb]/.test(character)) return `(?:\\${character})`
    const other = isInClass && character !== 'a' ? undefined : ESCAPES[character]
    if (other !== undefined) return other
    if (/[\dA-Za-z]|[^\0-\x7F]/.test(character)) throw new PatternError('invalid escape sequence')
    return /[$()*+./?[\\\]^{|}]|-/.test(character) && (isInClass || character !== '-') ? `\\${character}` : character
  }

  #property([, letter, short, negation, long]: RegExpExecArray): string {
    const name = short ?? long!
    const isNegative = (letter === 'P') !== (negation === '^')
    const value = name.length <= 2 ? name : `Script=${name}`
    return `\\${isNegative ? 'P' : 'p'}{${value}}`
  }
}
