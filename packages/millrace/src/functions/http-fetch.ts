/**
 * `http.fetch`: asks a service for each row, or once for all.
 */
import { defineTransform, type FunctionContext } from '../contracts/functions.ts'
import type { Transform } from '../contracts/stage.ts'
import type { Batch } from '../records/batch.ts'
import { mayRoundInValue, parseExactly, plain } from '../records/exact-numbers.ts'
import { StageError } from '../errors/index.ts'
import { problem, type OptionProblem } from '../options/declaration.ts'
import { field } from '../options/fields.ts'
import { afterTime } from '../resilience/abort.ts'
import { isTombstone } from '../stages/rows.ts'
import { compileTemplate, escapeJson, escapeUrl } from './template.ts'
import { exactCells } from './rows/exact-cells.ts'
import { Collection, COLLECTING_FIELDS } from './transforms.ts'
import { withDigitsOfColumn } from './rows/batches.ts'
import { withColumn, type Row } from './rows/values.ts'

/** Requests of one stage that may be under way. */
const PARALLEL = 8

const options = {
  url: field
    .string()
    .doc(
      'URL, with `{{ column }}` for cells of the row or, in mode `batch`, `{{ records }}`. Values are URL-encoded, except one at the start of the URL and those in three braces.',
    )
    .example('https://api.example.com/users/{{ user_id }}'),
  method: field.oneOf(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).default('GET').doc('HTTP method.'),
  mode: field
    .oneOf(['per_row', 'batch'])
    .default('per_row')
    .doc('Whether to send one request for each row, or one for all rows, as `records`.'),
  result_field: field
    .string()
    .default('http_result')
    .doc(
      'Column for the response: parsed if it is JSON, otherwise as text, and null if the request for a row failed. A tombstone is passed on without a request.',
    ),
  body: field
    .string()
    .optional()
    .doc(
      'Body of the request, with `{{ column.inner }}` or, in mode `batch`, `{{ records }}`, and the blocks `{{#each records}}...{{else}}...{{/each}}`, `{{#if column}}`, `{{#unless column}}`, `{{#with column}}` of Handlebars; inside them `this`, `../column`, `@index`, `@first` and `@last`. Text is escaped for use inside a JSON string, except in `{{{ column }}}`. The content type is JSON unless a header sets another.',
    ),
  headers: field.map(field.string()).default({}).secret().doc('HTTP headers of the request.'),
  timeout: field.number({ min: 1 }).default(30).unit('s').doc('Seconds to wait for the response.'),
  ...COLLECTING_FIELDS,
}

export const httpFetch = defineTransform({
  name: 'http.fetch',
  summary: 'Calls an HTTP service for each row, or once for all rows.',
  options,
  templates: ['url', 'body'],
  seesAllColumns: ({ mode }) => mode === 'batch',
  made: ({ result_field }) => [result_field],
  keepsRowsBack: ({ mode }) => mode === 'batch',
  waitsForEnd: ({ mode }) => mode === 'batch',
  notInLine: () => ({ because: 'it waits for an HTTP service', instead: undefined }),
  rules: [
    ({ url }) => templateProblem('url', url) ?? urlProblem(url),
    ({ body }) => templateProblem('body', body),
    ({ body, method }) =>
      body !== undefined && method === 'GET'
        ? problem('body', 'Cannot send a body with method GET', 'set method to POST')
        : undefined,
    ({ headers }) => headerProblem(headers),
  ],
  examples: [
    { title: 'Users by id', options: { url: 'https://api.example.com/users/{{ user_id }}', result_field: 'user' } },
    {
      title: 'One request for all rows',
      options: {
        url: 'https://api.example.com/prices',
        method: 'POST',
        mode: 'batch',
        body: '{"ids": [{{#each records}}{{#unless @first}},{{/unless}}"{{ this.id }}"{{/each}}]}',
        result_field: 'prices',
      },
    },
  ],
  create: (settings, context) =>
    settings.mode === 'batch' ? onceForAll(settings, context) : forEachRow(settings, context),
})

function templateProblem(option: string, template: string | undefined): OptionProblem | undefined {
  try {
    compileTemplate(template ?? '')
    return undefined
  } catch (error) {
    return problem(option, `Cannot read the template: ${(error as Error).message}`)
  }
}

/** What is wrong with the part of a URL that no row fills in. */
function urlProblem(url: string): OptionProblem | undefined {
  const [fixed] = url.split('{{') as [string]
  if (fixed === '') return undefined
  if (!/^https?:\/\//i.test(fixed))
    return 'https://'.startsWith(fixed) || 'http://'.startsWith(fixed)
      ? undefined
      : problem('url', 'The URL must begin with http:// or https://')
  const isHostKnown = fixed === url || /^\w+:\/\/[^/?#]+[/?#]/.test(fixed)
  if (!isHostKnown) return undefined
  if (!URL.canParse(fixed)) return problem('url', 'The URL must be one of http or https, with a valid host and port')
  const { username, password } = new URL(fixed)
  return username === '' && password === ''
    ? undefined
    : problem('url', 'Cannot send credentials in the URL', 'set the header Authorization')
}

/** Headers that the client of Node.js sets itself, and refuses. */
const OWN_HEADERS = new Set(['expect', 'keep-alive', 'transfer-encoding', 'upgrade'])

/** Values are not quoted: they may be secrets (I8). */
function headerProblem(headers: Settings['headers']): OptionProblem | undefined {
  for (const [name, value] of Object.entries(headers)) {
    if (!canSend(name, '')) return problem('headers', `Cannot send a header with the name ${JSON.stringify(name)}`)
    if (OWN_HEADERS.has(name.toLowerCase())) return problem('headers', `Cannot set the header "${name}"`, 'remove it')
    if (!canSend(name, value))
      return problem('headers', `The value of the header "${name}" has a character that HTTP does not allow`)
  }
  return undefined
}

function canSend(name: string, value: string): boolean {
  try {
    return new Headers([[name, value]]).has(name)
  } catch {
    return false
  }
}

interface Settings {
  readonly url: string
  readonly method: string
  readonly result_field: string
  readonly body?: string | undefined
  readonly headers: { readonly [name: string]: string }
  readonly timeout: number
  readonly max_rows: number
  readonly max_bytes: number
}

function forEachRow(settings: Settings, { stage, warn }: FunctionContext): Transform {
  const ask = asking(settings)
  const askFor = async (batch: Batch, row: number, signal: AbortSignal): Promise<Answer> =>
    ask(exactCells(batch, row), signal)
  return {
    needs: 'documents',
    waits: true,
    async process(batch, signal) {
      const documents: unknown[] = [...batch.documents!]
      const replaced = new Uint8Array(batch.length)
      const exact = new Map<number, unknown>()
      let next = 0
      const work = async (): Promise<void> => {
        for (let row = next++; row < documents.length; row = next++) {
          const document = documents[row] as Row
          if (isTombstone(batch, row, document)) continue
          const answer = await askFor(batch, row, signal).catch((error: unknown) => {
            if (signal.aborted) throw error
            warn(`The request of stage "${stage}" failed, so "${settings.result_field}" is null: ${reasonOf(error)}`, {
              topic: batch.topic,
              partition: batch.partition,
              offset: String(batch.offset(row)),
            })
            return NO_ANSWER
          })
          documents[row] = withColumn(document, settings.result_field, answer.value)
          if (answer.exact !== undefined) exact.set(row, answer.exact)
          replaced[row] = 1
        }
      }
      await Promise.all(Array.from({ length: PARALLEL }, work))
      return [withDigitsOfColumn(replacing(batch, documents, replaced), batch, settings.result_field, exact)]
    },
  }
}

function onceForAll(settings: Settings, { stage }: FunctionContext): Transform {
  const collection = new Collection(stage, settings)
  const ask = asking(settings)
  return {
    needs: 'documents',
    process(batch) {
      collection.keepRows(batch)
      return []
    },
    async finish(signal) {
      const rows = collection.rows.flatMap(({ batch, row }) =>
        isTombstone(batch, row, batch.documents![row] as Row) ? [] : [exactCells(batch, row)],
      )
      if (rows.length === 0) return collection.emitKept([...collection.rows])
      const answer = await ask({ records: rows }, signal).catch((cause: unknown) => {
        throw new StageError(`The request of stage "${stage}" failed: ${reasonOf(cause)}`, { cause, component: stage })
      })
      return collection.emitKept([...collection.rows]).map((batch) => {
        const replaced = new Uint8Array(batch.length)
        const exact = new Map<number, unknown>()
        const documents = batch.documents!.map((document, row) => {
          if (isTombstone(batch, row, document as Row)) return document
          replaced[row] = 1
          if (answer.exact !== undefined) exact.set(row, answer.exact)
          return withColumn(document as Row, settings.result_field, answer.value)
        })
        return withDigitsOfColumn(replacing(batch, documents, replaced), batch, settings.result_field, exact)
      })
    },
  }
}

interface Answer {
  /** As stages see it. */
  readonly value: unknown
  /** With its digits, where doubles do not hold all of its numbers. */
  readonly exact?: unknown
}

const NO_ANSWER: Answer = { value: null }

type Ask = (context: Row, signal: AbortSignal) => Promise<Answer>

function asking({ url, method, body, headers, timeout }: Settings): Ask {
  const fillUrl = compileTemplate(url)
  const fillBody = body === undefined ? undefined : compileTemplate(body)
  const hasType = Object.keys(headers).some((name) => name.toLowerCase() === 'content-type')
  const sent = fillBody === undefined || hasType ? headers : { 'content-type': 'application/json', ...headers }
  return async (context, signal) => {
    const response = await fetch(fillUrl(context, escapeUrl), {
      method,
      headers: sent,
      signal: AbortSignal.any([signal, afterTime(timeout * 1000)]),
      ...(fillBody === undefined ? {} : { body: fillBody(context, escapeJson) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`the service responded with status ${response.status}`)
    return answerIn(text)
  }
}

function answerIn(text: string): Answer {
  try {
    const value: unknown = JSON.parse(text)
    return mayRoundInValue(Buffer.from(text)) ? { value, exact: plain(parseExactly(text)) } : { value }
  } catch {
    return { value: text }
  }
}

/** @param replaced rows that got a column; others, as they are no documents, stay what they were */
function replacing(batch: Batch, documents: unknown[], replaced: Uint8Array): Batch {
  const { rows, keys } = batch
  batch.replaced?.forEach((was, row) => (replaced[row] ||= was))
  return batch.derive({ rows, documents, replaced, keys })
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}
