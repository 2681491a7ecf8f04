/** Operators on text. The engine does not have some of them, and refuses some where a value is missing or short. */
import { describeValue, isObject } from '../../options/values.ts'
import { ANY, isMissing, ONE, TWO, type Operator, type Operators } from './operator.ts'

const PATTERN = 'input! regex! options'
const REPLACEMENT = 'input! find! replacement!'

/** Bytes of a text from a position on, at most as many as there are; all of them when the count is below 0. */
const substrBytes: Operator = {
  arity: [3, 3],
  run: (engine) => (document, argument, options) => {
    const [text, from, count] = engine.evaluate(document, argument, options) as unknown[]
    if (isMissing(text)) return ''
    if (typeof text !== 'string') throw new Error(`$substr needs text: found ${describeValue(text)}`)
    if (!Number.isInteger(from) || !Number.isInteger(count) || (from as number) < 0)
      throw new Error('$substr needs whole numbers: a start from 0 on, and a count')
    const bytes = Buffer.from(text)
    const [start, size] = [from as number, count as number]
    const end = size < 0 ? bytes.length : Math.min(start + size, bytes.length)
    for (const cut of [start, end])
      if (cut < bytes.length && (bytes[cut]! & 0xc0) === 0x80)
        throw new Error(
          `$substr cannot cut ${describeValue(text)} at byte ${cut}, within a character: $substrCP counts characters`,
        )
    return bytes.toString('utf8', Math.min(start, end), end)
  },
}

export const TEXT_OPERATORS: Operators = {
  $concat: ANY,
  $indexOfBytes: { arity: [2, 4] },
  /** Position of a text in another one, in characters; -1 when it is not there. */
  $indexOfCP: {
    arity: [2, 4],
    run: (engine) => (document, argument, options) => {
      const parts = (argument as unknown[]).map((part) => engine.evaluate(document, part, options))
      const [text, wanted, start = 0, end] = parts
      if (isMissing(text)) return null
      if (typeof text !== 'string' || typeof wanted !== 'string') throw new Error('$indexOfCP needs two texts')
      const characters = Array.from(text).slice(Number(start), end === undefined ? undefined : Number(end))
      const at = characters.join('').indexOf(wanted)
      return at < 0 ? -1 : Array.from(characters.join('').slice(0, at)).length + Number(start)
    },
  },
  $ltrim: trim('$ltrim'),
  $regexFind: { named: PATTERN },
  /** The engine's own never ends where the expression matches nothing, such as `\d*`. */
  $regexFindAll: {
    named: PATTERN,
    run: (engine) => (document, argument, options) => {
      const given = engine.evaluate(document, argument, options)
      if (!isObject(given)) throw new Error(`$regexFindAll needs {input, regex}: found ${describeValue(given)}`)
      const { input, regex, options: flags = '' } = given
      if (typeof input !== 'string') return []
      return Array.from(input.matchAll(new RegExp(regex as string, `g${flags as string}`)), (found) => ({
        match: found[0],
        idx: found.index,
        captures: found.slice(1).map((capture) => capture ?? null),
      }))
    },
  },
  $regexMatch: { named: PATTERN },
  $replaceAll: { named: REPLACEMENT },
  $replaceOne: { named: REPLACEMENT },
  $rtrim: trim('$rtrim'),
  $split: TWO,
  $strLenBytes: ONE,
  $strLenCP: ONE,
  $strcasecmp: TWO,
  $substr: substrBytes,
  $substrBytes: substrBytes,
  $substrCP: { arity: [3, 3] },
  $toLower: ONE,
  $toUpper: ONE,
  $trim: trim('$trim'),
}

function trim(name: string): Operator {
  return {
    named: 'input! chars',
    run: (engine) => (document, argument, options) => {
      const given = engine.evaluate(document, argument, options)
      if (!isObject(given)) throw new Error(`${name} needs {input: text}: found ${describeValue(given)}`)
      const { input } = given
      if (!isMissing(input) && typeof input !== 'string')
        throw new Error(`${name} needs text as input: found ${describeValue(input)}`)
      return engine.operator(name)(document, { $literal: given }, options)
    },
  }
}
