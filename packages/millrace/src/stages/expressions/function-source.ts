/**
 * The code of `$function`: what it must look like, how it becomes a function, and how that is called. Loads no engine, so that
 * lint can use it.
 *
 * ```yaml
 * $function: { body: "(price, rate) => price * rate", args: [$price, 1.19], lang: js }
 * ```
 *
 * It runs in a context of its own, without `require`, `process` and timers. That keeps mistakes small; it is no border against
 * code that means harm: a pipeline file is trusted.
 */
import { createContext, Script, type Context } from 'node:vm'
import type { ConfigProblem } from '../../errors/index.ts'
import { didYouMean } from '../../options/suggest.ts'
import { describeValue } from '../../options/values.ts'
import { isDocument } from '../field-path.ts'

const NAMES = ['body', 'args', 'lang']
const LANGUAGES = ['js', 'javascript']

let context: Context | undefined

/** The one context of all functions of a process. */
export function functionContext(): Context {
  return (context ??= createContext({}, { name: '$function', codeGeneration: { strings: false, wasm: false } }))
}

/** Compiles without running anything. @throws {SyntaxError} */
function compile(body: string): Script {
  return new Script(`(${body.trim().replace(/;+$/, '')}\n)`, { filename: '$function' })
}

/** @throws {Error} when the text is not the source of a function */
export function functionOf(body: string): (...args: unknown[]) => unknown {
  const made: unknown = compile(body).runInContext(functionContext())
  if (typeof made !== 'function') throw new Error(`The body of $function must be a function: it is ${typeof made}`)
  return made as (...args: unknown[]) => unknown
}

const functions = new Map<string, (...args: unknown[]) => unknown>()
let latest: unknown

/** The document of the latest call: the one to blame when the time is over. */
export function latestDocument(): unknown {
  return latest
}

/** Calls the function of a source text, which is compiled when it is met first. */
export function callFunction(body: string, args: readonly unknown[], document: unknown): unknown {
  let call = functions.get(body)
  if (call === undefined) functions.set(body, (call = functionOf(body)))
  latest = document
  try {
    return resultOf(call(...args.map(ownCopy)))
  } catch (error) {
    // Errors of the other context are no errors of this one.
    const { name = 'Error', message = String(error) } = (error ?? {}) as { name?: string; message?: string }
    throw new Error(name === 'Error' ? message : `${name}: ${message}`, { cause: error })
  }
}

/** A copy made of objects of this context: functions may change what they are given. */
function ownCopy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(ownCopy)
  return kindOf(value) === 'Date' ? new Date(value as Date) : copied(value, ownCopy)
}

/** The same of what a function gives, which is of another context. @throws {Error} for what is no value of JSON */
function resultOf(value: unknown): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') throw new Error(`it returned a ${typeof value}`)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(resultOf)
  const kind = kindOf(value)
  if (kind === 'Date') return new Date(value as Date)
  if (kind === 'Promise') throw new Error('it returned a promise, but a function may not wait for anything')
  if (kind !== 'Object') throw new Error(`it returned a ${kind}, which JSON cannot hold`)
  return copied(value, resultOf)
}

function kindOf(value: object): string {
  return Object.prototype.toString.call(value).slice('[object '.length, -1)
}

function copied(value: object, copy: (field: unknown) => unknown): object {
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, copy(field)]))
}

/** Whether a specification has `$function` anywhere. */
export function hasFunction(spec: unknown): boolean {
  if (Array.isArray(spec)) return spec.some(hasFunction)
  return isDocument(spec) && Object.entries(spec).some(([name, value]) => name === '$function' || hasFunction(value))
}

/** The problems of what stands below `$function`, without those of its arguments. */
export function functionProblems(spec: unknown, path: string): ConfigProblem[] {
  const example = 'write {body: "(a, b) => a + b", args: [$a, $b]}'
  if (!isDocument(spec))
    return [{ path, message: `$function must be an object: found ${describeValue(spec)}`, suggestion: example }]
  const { body, args = [], lang = 'js' } = spec
  const problems: ConfigProblem[] = []
  for (const name of Object.keys(spec).filter((one) => !NAMES.includes(one))) {
    const suggestion = didYouMean(name, NAMES) ?? `there are ${NAMES.join(', ')}`
    problems.push({ path: `${path}.${name}`, message: `Unknown option "${name}" of $function`, suggestion })
  }
  if (!LANGUAGES.includes(String(lang).toLowerCase()))
    problems.push({
      path: `${path}.lang`,
      message: `Cannot run ${describeValue(lang)} as $function runs JavaScript only`,
      suggestion: 'write lang: js, or leave it out',
    })
  if (!Array.isArray(args))
    problems.push({
      path: `${path}.args`,
      message: `args must be a list of expressions: found ${describeValue(args)}`,
      suggestion: 'write args: [$field]',
    })
  if (typeof body === 'string') problems.push(...syntaxProblems(body, `${path}.body`))
  else
    problems.push({
      path: body === undefined ? path : `${path}.body`,
      message: body === undefined ? 'Missing option "body"' : `body must be text: found ${describeValue(body)}`,
      suggestion: example,
    })
  return problems
}

function syntaxProblems(body: string, path: string): ConfigProblem[] {
  try {
    compile(body)
    return []
  } catch (error) {
    const { message, stack = '' } = error as Error
    const line = /^\$function:(\d+)/.exec(stack)?.[1]
    const place = line === undefined || !body.trim().includes('\n') ? '' : ` in line ${line} of the body`
    const suggestion = /^\s*lambda\b/.test(body)
      ? 'write it in JavaScript: (a, b) => a + b'
      : 'write a function: (a, b) => a + b'
    return [{ path, message: `Cannot read the body of $function as JavaScript${place}: ${message}`, suggestion }]
  }
}
