/** A collector for OTLP over HTTP, as JSON: keeps what it is sent. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface OtlpSpan {
  readonly name: string
  readonly attributes: readonly OtlpAttribute[]
  readonly links?: readonly object[]
}

interface OtlpAttribute {
  readonly key: string
  readonly value: { readonly stringValue?: string; readonly intValue?: number | string }
}

interface Resource {
  readonly attributes: readonly OtlpAttribute[]
}

interface Payload {
  readonly resourceSpans?: readonly {
    readonly resource: Resource
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[]
  }[]
  readonly resourceMetrics?: readonly {
    readonly resource: Resource
    readonly scopeMetrics: readonly { readonly metrics: readonly { readonly name: string }[] }[]
  }[]
}

export interface OtlpReceiver {
  readonly url: string
  /** Path and content type of each request. */
  readonly requests: readonly string[]
  readonly spans: readonly OtlpSpan[]
  readonly metricNames: ReadonlySet<string>
  /** Attributes of what sent it. */
  readonly resource: { readonly [name: string]: string | undefined }
  [Symbol.asyncDispose](): Promise<void>
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const requests: string[] = []
  const payloads: Payload[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const type = request.headers['content-type'] ?? ''
      requests.push(`${request.url} ${type}`)
      if (type === 'application/json') payloads.push(JSON.parse(Buffer.concat(chunks).toString()) as Payload)
      response.writeHead(200, { 'content-type': type }).end(type === 'application/json' ? '{}' : '')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    get spans() {
      return payloads.flatMap(({ resourceSpans = [] }) =>
        resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
      )
    },
    get metricNames() {
      const sent = payloads.flatMap(({ resourceMetrics = [] }) => resourceMetrics)
      return new Set(
        sent.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics.map(({ name }) => name))),
      )
    },
    get resource() {
      const [first] = payloads.flatMap(({ resourceSpans = [], resourceMetrics = [] }) => [
        ...resourceSpans,
        ...resourceMetrics,
      ])
      return Object.fromEntries(first?.resource.attributes.map(({ key, value }) => [key, value.stringValue]) ?? [])
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
