/**
 * Where everything stands in a TOML file. The parser does not tell; this reads a text that the parser has found to be
 * right, so it asks only where keys and values begin and end.
 */

/** Where each key, table and element begins, as an offset, by dotted path with indexes: `stages.0.config.topic`. */
export function tomlOffsets(text: string): ReadonlyMap<string, number> {
  return new Scanner(text).run()
}

const BLANK = /[ \t\r\n]|#[^\n]*/y
const BARE_KEY = /[\w-]+/y
const PLAIN_VALUE = /[^,\]}#\n\r]+/y
/** Strings, the longer delimiters first. */
const STRING = /"""[\s\S]*?(?:(?<!\\)(?:\\\\)*)"""+|'''[\s\S]*?'''+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'/y

class Scanner {
  readonly #text: string
  readonly #offsets = new Map<string, number>()
  /** Tables so far of each array of tables. */
  readonly #tables = new Map<string, number>()
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  run(): ReadonlyMap<string, number> {
    let table = ''
    for (this.#skip(); this.#at < this.#text.length; this.#skip()) {
      if (this.#text[this.#at] === '[') table = this.#header()
      else this.#pair(table)
    }
    return this.#offsets
  }

  /** `[a.b]` or `[[a.b]]`. @returns the path of the table */
  #header(): string {
    const start = this.#at
    const isArray = this.#text.startsWith('[[', start)
    this.#at += isArray ? 2 : 1
    const keys = this.#keys()
    this.#at += isArray ? 2 : 1
    const path = keys.slice(0, -1).reduce((above, key) => {
      this.#note(this.#last(join(above, key)), start)
      return this.#last(join(above, key))
    }, '')
    const named = join(path, keys.at(-1)!)
    if (!isArray) {
      this.#note(this.#last(named), start)
      return this.#last(named)
    }
    const count = this.#tables.get(named) ?? 0
    this.#tables.set(named, count + 1)
    this.#note(named, start)
    this.#note(`${named}.${count}`, start)
    return `${named}.${count}`
  }

  /** `a.b = value` */
  #pair(table: string): void {
    const start = this.#at
    const path = this.#keys().reduce((above, key) => {
      this.#note(join(above, key), start)
      return join(above, key)
    }, table)
    this.#at++ // =
    this.#skip()
    this.#value(path)
  }

  #value(path: string): void {
    const first = this.#text[this.#at]
    if (first === '[') {
      this.#items(']', (i) => {
        this.#note(`${path}.${i}`, this.#at)
        this.#value(`${path}.${i}`)
      })
    } else if (first === '{') this.#items('}', () => this.#pair(path))
    else if (this.#take(STRING) === '') this.#take(PLAIN_VALUE)
  }

  #items(end: string, read: (index: number) => void): void {
    this.#at++
    for (let i = 0; ; i++) {
      this.#skip(',')
      if (this.#at >= this.#text.length || this.#text[this.#at] === end) break
      read(i)
    }
    this.#at++
  }

  #keys(): string[] {
    const keys: string[] = []
    do {
      if (keys.length > 0) this.#at++ // .
      this.#skip()
      const quoted = this.#take(STRING)
      keys.push(quoted === '' ? this.#take(BARE_KEY) : quoted.slice(1, -1))
      this.#skip()
    } while (this.#text[this.#at] === '.')
    return keys
  }

  /** Within an array of tables, a path means its last table. */
  #last(path: string): string {
    const count = this.#tables.get(path)
    return count === undefined ? path : `${path}.${count - 1}`
  }

  #note(path: string, offset: number): void {
    if (!this.#offsets.has(path)) this.#offsets.set(path, offset)
  }

  #skip(separator = ''): void {
    for (;;) {
      if (this.#text[this.#at] === separator) this.#at++
      else if (this.#take(BLANK) === '') return
    }
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0] ?? ''
    this.#at += found.length
    return found
  }
}

function join(above: string, key: string): string {
  return above === '' ? key : `${above}.${key}`
}
