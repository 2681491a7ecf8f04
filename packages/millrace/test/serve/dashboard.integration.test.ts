import { statSync } from 'node:fs'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { StageError } from '../../src/errors/index.ts'
import { Counters } from '../../src/metrics/counters.ts'
import { Monitor, type RunningServer, startServer } from '../../src/serve/index.ts'
import { brokerAvailable } from '../support/broker.ts'
import { batchOf } from '../support/batches.ts'
import { type Browser, browserAvailable, type Page, startBrowser } from '../support/browser.ts'
import { fromTopic, runHere, toTopic } from '../support/pipelines.ts'
import { topicBed } from '../support/topics.ts'
import { type FakePipeline, fakePipeline, partitionStatus } from '../support/watched.ts'

/** What is used of the results of axe-core. */
interface AxeResults {
  readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string }[] }[]
  readonly passes: readonly { readonly id: string }[]
}

const BUILT = join(import.meta.dirname, '../../dist/dashboard')
const AXE = join(import.meta.dirname, '../../../../node_modules/axe-core/axe.min.js')

test('the dashboard is less than 100 kB, and loads nothing from elsewhere', async () => {
  const files = await readdir(BUILT)
  expect(files.toSorted()).toEqual(['LICENCES.txt', 'dashboard.js', 'index.html', 'style.css'])
  expect(files.reduce((sum, file) => sum + statSync(join(BUILT, file)).size, 0)).toBeLessThan(100_000)
  for (const file of ['index.html', 'style.css'])
    expect(await readFile(join(BUILT, file), 'utf8')).not.toMatch(/https?:/)
})

describe.skipIf(!browserAvailable)('the dashboard in a browser', () => {
  let browser: Browser
  const servers: RunningServer[] = []
  beforeAll(async () => {
    browser = await startBrowser()
  })
  afterAll(async () => {
    await browser.close()
    await Promise.all(servers.map((server) => server.close()))
  })

  async function served(
    pipelines: readonly FakePipeline[],
    token?: string,
    hidesValues = false,
  ): Promise<{ monitor: Monitor; url: string }> {
    const monitor = new Monitor('1.2.3', hidesValues)
    for (const pipeline of pipelines) monitor.add(pipeline)
    const server = await startServer(monitor, { host: '127.0.0.1', port: 0, token })
    servers.push(server)
    return { monitor, url: server.url }
  }

  /** A page that fails the test with what goes wrong in it. */
  async function open(
    url: string,
    scheme: 'light' | 'dark' = 'light',
    width = 1280,
    bypassCSP = false,
  ): Promise<{ page: Page; errors: string[] }> {
    const page = await browser.newPage({ colorScheme: scheme, viewport: { width, height: 900 }, bypassCSP })
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text())
    })
    page.on('request', (request) => {
      if (!request.url().startsWith(url) && !request.url().startsWith('data:'))
        errors.push(`asked for ${request.url()}`)
    })
    await page.goto(url)
    return { page, errors }
  }

  /** With everything that the page can show. */
  function troubled(): FakePipeline {
    const pipeline = fakePipeline('orders')
    Object.assign(pipeline, { records: 5000, lag: 17, breakerStates: [{ id: 'sink', state: 'open' }] })
    pipeline.partitions = [
      ...Array.from({ length: 30 }, (_, i) => partitionStatus(i)),
      partitionStatus(77, {
        problem: 'k1:9092 does not answer',
        end: undefined,
        lag: undefined,
        lagSeconds: undefined,
      }),
    ]
    const record = { topic: 'orders', partition: 77, offset: 123n }
    pipeline.failures.keepRecords(false)
    pipeline.failures.add('dead-lettered', new StageError('amount is no number', record), record, () =>
      batchOf([{ key: 'o-7', value: '{"amount":"x"}', headers: [['from', 'shop']] }], 123).record(0),
    )
    pipeline.failures.add('fatal', new Error('something without a place'))
    return pipeline
  }

  test.each([
    ['light', 1280],
    ['dark', 1280],
    ['dark', 390],
  ] as const)('passes axe-core: %s, %i pixels wide', async (scheme, width) => {
    const troubles = troubled()
    const { monitor, url } = await served([troubles, fakePipeline('second')])
    const { page } = await open(url, scheme, width, true)
    await page.getByTestId('failures').waitFor()
    await page.locator('.chart canvas').first().waitFor()
    monitor.event('warn', 'The circuit breaker of the sink is open', { event: 'breaker.open' })
    await page.locator('.mark').first().focus()
    await page.getByRole('button', { name: 'Show the record' }).first().press('Enter')
    await page.getByTestId('failed-record').waitFor()
    await page.getByRole('button', { name: /stage-1/ }).press('Enter')
    await page.getByText('Waiting for the next records.').waitFor()
    await passThrough(troubles, { amount: 1 }, { amount: 1, tier: 'high' })
    await page.getByTestId('records').waitFor()
    await page.addScriptTag({ path: AXE })
    const { violations, passes } = (await page.evaluate('axe.run()')) as AxeResults
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([])
    expect(passes.map(({ id }) => id)).toContain('color-contrast')
    await page.close()
  })

  // An operator has to find a stuck partition, its reason and the failing record without reading logs.
  test('shows a stuck partition first with its reason, and a failed record with the command that shows it', async () => {
    const { url } = await served([troubled()])
    const { page, errors } = await open(url)
    const [first] = await page.getByTestId('partitions').locator('tbody tr').all()
    expect(await first!.innerText()).toMatch(/77\s+stuck k1:9092 does not answer/)
    expect(await page.getByTestId('reasons').innerText()).toBe(
      'The circuit breaker of "sink" is open\n1 partition is stuck',
    )
    expect(await page.getByTestId('badge').innerText()).toBe('Not ready')
    const failures = await page.getByTestId('failures').innerText()
    expect(failures).toContain('amount is no number')
    expect(failures).toContain('millrace read -t orders --partition 77 --offset 123 --count 1')
    expect(await page.getByTestId('partitions').locator('tbody tr').count()).toBe(20)
    await page.getByRole('button', { name: 'Show 31' }).press('Enter')
    await expect.poll(() => page.getByTestId('partitions').locator('tbody tr').count()).toBe(31)
    expect(errors).toEqual([])
    await page.close()
  })

  /** A batch of one record goes through the stage, once the page looks at it. */
  async function passThrough(pipeline: FakePipeline, before: object, after: object): Promise<void> {
    const tap = pipeline.taps.get('stage-1')!
    await vi.waitFor(() => expect(tap.isOpen).toBe(true), 5000)
    const batch = batchOf([{ key: 'o-7', value: JSON.stringify(before) }])
    const look = await vi.waitFor(() => tap.look(batch) ?? expect.fail('too soon'), 5000)
    look.done([batch.derive({ documents: [after], replaced: Uint8Array.of(1) })])
  }

  test('shows the records before and after a stage as a diff, which stays until newer ones are asked for', async () => {
    const pipeline = fakePipeline('orders')
    const { url } = await served([pipeline])
    const { page, errors } = await open(url)
    await page.getByRole('button', { name: /stage-1/ }).press('Enter')
    await passThrough(pipeline, { amount: 1, old: true }, { amount: 1, tier: 'high' })
    const records = page.getByTestId('records')
    await records.waitFor()
    const text = await records.innerText()
    expect(text).toMatch(/Changed orders, partition 3, offset 100, key o-7/)
    expect((await records.locator('.removed').allInnerTexts()).join()).toMatch(/^−\s+"old": true\s*$/)
    expect((await records.locator('.added').allInnerTexts()).join()).toMatch(/^\+\s+"tier": "high"\s*$/)
    await passThrough(pipeline, { amount: 2 }, { amount: 2, tier: 'low' })
    await page.getByText(/^Taken at/).waitFor()
    expect(await records.innerText()).toBe(text)
    await page.getByRole('button', { name: 'Show newer ones' }).press('Enter')
    await vi.waitFor(async () => expect(await records.innerText()).toContain('"low"'), 5000)
    expect(errors).toEqual([])
    await page.close()
  })

  test('hides values, and says so', async () => {
    const pipeline = fakePipeline('orders')
    const { url } = await served([pipeline], undefined, true)
    const record = { topic: 'orders', partition: 3, offset: 100n }
    pipeline.failures.add('skipped', new StageError('amount is "4111"', record), record, () =>
      batchOf(['{"amount":"4111"}']).record(0),
    )
    const { page } = await open(url)
    await page.getByRole('button', { name: 'Show the record' }).press('Enter')
    expect(await page.getByTestId('failed-record').innerText()).toMatch(/values are hidden[\s\S]*"amount": "•••"/)
    await page.getByRole('button', { name: /stage-1/ }).press('Enter')
    await passThrough(pipeline, { card: '4111' }, { card: '4112' })
    await page.getByTestId('records').waitFor()
    expect(await page.locator('body').innerText()).not.toMatch(/411[12]/)
    await page.close()
  })

  // The process has ended when the operator looks: its last words have to be enough.
  test('shows what ended a run, with the record, after the process has gone', async () => {
    const pipeline = fakePipeline('orders')
    pipeline.partitions = [partitionStatus(3, { position: 101, done: 100 })]
    const { url } = await served([pipeline])
    const { page } = await open(url)
    await page.getByText('Live', { exact: true }).waitFor()
    const error = new StageError('amount is no number', { topic: 'orders', partition: 3, offset: 100n })
    pipeline.failures.failing(error, batchOf(['{"amount":"x"}']))
    pipeline.failures.add('fatal', error)
    Object.assign(pipeline, { state: 'failed', error: { code: 'STAGE_FAILED', message: error.message } })
    await servers.pop()!.close()
    await page.getByText('The process has ended: this is the last it said').waitFor()
    expect(await page.getByTestId('reasons').innerText()).toBe(
      'The run ended with STAGE_FAILED: amount is no number\n1 partition is stuck',
    )
    expect(await page.getByTestId('partitions').innerText()).toContain('offset 100 ended the run: STAGE_FAILED')
    await page.getByRole('button', { name: 'Show the record' }).press('Enter')
    expect(await page.getByTestId('failed-record').innerText()).toContain('"amount": "x"')
    // A supervisor starts it again.
    const monitor = new Monitor('1.2.3')
    monitor.add(Object.assign(fakePipeline('orders'), { startedAt: new Date(1).toISOString() }))
    servers.push(await startServer(monitor, { host: '127.0.0.1', port: Number(new URL(url).port) }))
    await page.getByText('Ended an earlier run').waitFor({ timeout: 15_000 })
    await page.close()
  })

  test('shows any of several pipelines, chosen by keyboard', async () => {
    const { url } = await served([fakePipeline('first'), fakePipeline('second')])
    const { page } = await open(url)
    const button = page.getByRole('button', { name: /second/ })
    await button.focus()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'second' }).waitFor()
    expect(await button.getAttribute('aria-pressed')).toBe('true')
    await page.close()
  })

  test('keeps what it shows when the connection breaks, and continues when the server is back', async () => {
    const pipeline = Object.assign(fakePipeline('orders'), { records: 4711 })
    const { url } = await served([pipeline])
    const { page } = await open(url)
    await page.getByText('4,711 in all').first().waitFor()
    await servers.pop()!.close()
    await page.getByText('Connection lost, trying again').waitFor()
    expect(await page.getByText('4,711 in all').first().isVisible()).toBe(true)
    const monitor = new Monitor('1.2.3')
    monitor.add(Object.assign(pipeline, { records: 4712 }))
    servers.push(await startServer(monitor, { host: '127.0.0.1', port: Number(new URL(url).port) }))
    await page.getByText('4,712 in all').first().waitFor({ timeout: 15_000 })
    expect(await page.getByText('Live', { exact: true }).isVisible()).toBe(true)
    await page.close()
  })

  test('shows what each part spends its time on', async () => {
    const pipeline = fakePipeline('orders')
    const { url } = await served([pipeline])
    const { page, errors } = await open(url)
    const stage = page.locator('[data-node="stage-1"]')
    await expect
      .poll(() => {
        pipeline.seconds++
        return stage.innerText()
      })
      .toContain('busy 20 %, backpressured 50 %, idle 30 %')
    expect(await page.locator('[data-node="source"]').innerText()).toContain('busy 10 %, backpressured 50 %, idle 40 %')
    expect(errors).toEqual([])
    await page.close()
  })

  test('marks of the charts name what happened, when they are focused or pointed at', async () => {
    const { monitor, url } = await served([fakePipeline('orders')])
    const { page, errors } = await open(url)
    await page.locator('.chart canvas').first().waitFor()
    monitor.event('warn', 'The circuit breaker of the sink is open', { event: 'breaker.open' })
    monitor.event('info', 'The group has assigned 3 partitions', { event: 'partitions.assigned' })
    monitor.event('info', 'not on the axis', { event: 'run.started' as never })
    const marks = page.getByRole('img', { name: /circuit breaker of the sink is open/ })
    await marks.waitFor()
    expect(await marks.count()).toBe(1) // in one chart: the others show the same
    expect(await marks.getAttribute('aria-label')).toMatch(
      /^\S+ The circuit breaker of the sink is open; The group has assigned 3 partitions$|^\S+ The circuit breaker of the sink is open$/,
    )
    const label = marks.locator('span')
    expect(await label.isVisible()).toBe(false)
    await marks.focus()
    expect(await label.isVisible()).toBe(true)
    await page.getByRole('heading', { name: 'Lag in records' }).hover()
    await page.locator('.chart').nth(1).locator('.mark').first().hover()
    expect(await page.locator('.chart').nth(1).locator('.mark span').first().isVisible()).toBe(true)
    expect(await page.locator('body').innerText()).not.toMatch(/^\S+ not on the axis/)
    expect(errors).toEqual([])
    await page.close()
  })

  test('asks for the token of a server that has one', async () => {
    const { url } = await served([fakePipeline('orders')], 'secret')
    const { page } = await open(url)
    await page.getByLabel('Token of this server').fill('wrong')
    await page.keyboard.press('Enter')
    await page.getByText('Token wanted').waitFor()
    await page.getByLabel('Token of this server').fill('secret')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'orders' }).waitFor()
    await page.close()
  })

  describe.skipIf(!brokerAvailable)('beside a broker', () => {
    const bed = topicBed()

    test('shows the offsets that the broker has within two seconds', async () => {
      const [from, to] = [await bed().create({ partitions: 3 }), await bed().create()]
      const monitor = new Monitor('1.2.3')
      const server = await startServer(monitor, { host: '127.0.0.1', port: 0 })
      servers.push(server)
      const stop = new AbortController()
      const running = runHere(
        { source: fromTopic(from, { 'auto.commit.interval.ms': 100 }), sink: toTopic(to) },
        {
          metrics: new Counters(),
          untilEnd: false,
          signal: stop.signal,
          onPipeline: (pipeline) => monitor.add(pipeline),
        },
      )
      const { page } = await open(server.url)
      await vi.waitFor(() => expect(monitor.reasons).toEqual([]), 20_000)
      await bed().write(
        from,
        Array.from({ length: 900 }, (_, i) => ({ key: `k${i}`, value: String(i) })),
      )
      const written = performance.now()
      const ends = (await bed().values(from)).map(({ length }) => length.toLocaleString('en-US'))
      const shown = async (): Promise<string[][]> => {
        const rows = await page.getByTestId('partitions').locator('tbody tr').all()
        const cells = await Promise.all(rows.map((row) => row.locator('td').allInnerTexts()))
        // Partition, position, end, lag.
        return cells.map((row) => [row[1]!, row[3]!, row[4]!, row[6]!]).toSorted((a, b) => Number(a[0]) - Number(b[0]))
      }
      const want = ends.map((end, partition) => [String(partition), end, end, '0'])
      await vi.waitFor(async () => expect(await shown()).toEqual(want), { timeout: 10_000, interval: 50 })
      expect(performance.now() - written).toBeLessThan(3000) // two seconds, and what the browser of a busy machine takes
      expect(await page.getByTestId('badge').innerText()).toBe('Healthy')
      await page.close()
      stop.abort()
      await running
    })
  })
})
