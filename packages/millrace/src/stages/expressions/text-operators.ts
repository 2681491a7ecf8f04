/** Operators on text that the engine does not have, or that fail there where a value is missing or short. */
import { evalExpr } from 'mingo/core'
import type { Options } from 'mingo/types'
import { describeValue, isObject } from '../../options/values.ts'
import { engineOperator, isMissing, type Operator, type Operators } from './mingo-operators.ts'

export const TEXT_OPERATORS: Operators = {
  $trim: trim('$trim'),
  $ltrim: trim('$ltrim'),
  $rtrim: trim('$rtrim'),
  $substr: substrBytes,
  $substrBytes: substrBytes,
  /** Position of a text in another one, in characters; -1 when it is not there. */
  $indexOfCP: (document, argument, options) => {
    const [text, wanted, start = 0, end] = (argument as unknown[]).map((part) => evalExpr(document, part, options))
    if (isMissing(text)) return null
    if (typeof text !== 'string' || typeof wanted !== 'string') throw new Error('$indexOfCP needs two texts')
    const characters = Array.from(text).slice(Number(start), end === undefined ? undefined : Number(end))
    const at = characters.join('').indexOf(wanted)
    return at < 0 ? -1 : Array.from(characters.join('').slice(0, at)).length + Number(start)
  },
  /** The engine's own never ends where the expression matches nothing, such as `\d*`. */
  $regexFindAll: (document, argument, options) => {
    const given = evalExpr(document, argument, options)
    if (!isObject(given)) throw new Error(`$regexFindAll needs {input, regex}: found ${describeValue(given)}`)
    const { input, regex, options: flags = '' } = given
    if (typeof input !== 'string') return []
    return Array.from(input.matchAll(new RegExp(regex as string, `g${flags as string}`)), (found) => ({
      match: found[0],
      idx: found.index,
      captures: found.slice(1).map((capture) => capture ?? null),
    }))
  },
}

/** So many bytes of a text from a place on, or as many as there are; all of them when the count is below 0. */
function substrBytes(document: unknown, argument: unknown, options: Options): string {
  const [text, from, count] = evalExpr(document, argument, options) as unknown[]
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
}

function trim(name: string): Operator {
  const operator = engineOperator(name)
  return (document, argument, options) => {
    const given = evalExpr(document, argument, options)
    if (!isObject(given)) throw new Error(`${name} needs {input: text}: found ${describeValue(given)}`)
    const { input } = given
    if (!isMissing(input) && typeof input !== 'string')
      throw new Error(`${name} needs text as input: found ${describeValue(input)}`)
    return operator(document, { $literal: given }, options)
  }
}
