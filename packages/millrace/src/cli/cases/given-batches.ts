/**
 * Batches of the documents of a test case, and what comes out of a pipeline as data to compare.
 */
import type { Codec } from '../../contracts/codec.ts'
import { NO_ACKNOWLEDGEMENT } from '../../records/acknowledgement.ts'
import { Batch } from '../../records/batch.ts'
import { makeRecords } from '../../records/make-records.ts'
import { isObject } from '../../options/values.ts'

interface GivenMeta {
  readonly topic?: string
  readonly partition?: number
  readonly offset?: number
  readonly timestamp?: number | string
  readonly key?: string | null
  readonly headers?: { readonly [name: string]: string | null | readonly (string | null)[] }
}

/** What the source reads, for `_meta.topic`. */
export function nameOf({ topic, path }: { readonly [option: string]: unknown }): string {
  const name: unknown = [topic ?? path].flat()[0]
  return typeof name === 'string' ? name : 'test'
}

/** Documents that follow each other and come from the same partition are a batch. */
export function* batchesOf(given: readonly unknown[], topic: string, codec: Codec): Generator<Batch> {
  let group: { readonly document: unknown; readonly meta: GivenMeta; readonly offset: number }[] = []
  for (const [i, value] of given.entries()) {
    const { _meta: meta = {}, ...document } = (isObject(value) ? value : {}) as { readonly _meta?: GivenMeta }
    const first = group[0]?.meta
    if (first !== undefined && (first.topic !== meta.topic || first.partition !== meta.partition)) {
      yield batchOf(group, topic, codec)
      group = []
    }
    group.push({ document: isObject(value) ? document : value, meta, offset: meta.offset ?? i })
  }
  if (group.length > 0) yield batchOf(group, topic, codec)
}

function batchOf(
  group: readonly { readonly document: unknown; readonly meta: GivenMeta; readonly offset: number }[],
  topic: string,
  codec: Codec,
): Batch {
  const { topic: ownTopic = topic, partition = 0 } = group[0]!.meta
  const storage = makeRecords(
    group.map(({ document, meta, offset }) => ({
      value: valueOf(document, codec),
      key: meta.key ?? null,
      headers: Object.entries(meta.headers ?? {}).flatMap(([name, texts]) =>
        [texts].flat().map((text) => [name, text] as const),
      ),
      timestampMs: meta.timestamp === undefined ? Date.now() : new Date(meta.timestamp).getTime(),
      offset,
    })),
  )
  const origin = {
    component: 'test',
    topic: ownTopic,
    partition,
    partitionCount: partition + 1,
    timestampType: 'CreateTime',
  } as const
  return new Batch(origin, storage, NO_ACKNOWLEDGEMENT)
}

function valueOf(document: unknown, codec: Codec): Buffer | null {
  if (document === null) return null
  const raw = isObject(document) ? document['_raw'] : undefined
  return Buffer.from(typeof raw === 'string' ? raw : codec.encode(document)!)
}

/** The value of a line, with those parts of its origin that are asked for. */
export function asData(line: string, expected: unknown): unknown {
  const { value, ...meta } = JSON.parse(line) as { readonly [name: string]: unknown }
  const wanted = isObject(expected) ? expected['_meta'] : undefined
  if (!isObject(wanted) || (isObject(value) && '_meta' in value)) return value
  const parts = Object.keys(wanted).map((name) => [
    name,
    name === 'timestamp' && typeof wanted[name] === 'number' ? Date.parse(String(meta[name])) : meta[name],
  ])
  return { ...(isObject(value) ? value : { value }), _meta: Object.fromEntries(parts) }
}
