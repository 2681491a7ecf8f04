import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { cli, startCli } from '../support/cli.ts'
import { readPrometheus } from '../support/prometheus.ts'

let directory: string
let file: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-watching-'))
  file = join(directory, 'orders.yaml')
  await writeFile(
    file,
    'http: 1\nsource: {type: generate, recordsPerSecond: 2000}\nstages: [{$match: {amount: {$gte: 100}}}]\nsink: {type: file, path: out.jsonl}\n',
  )
})
afterAll(() => rm(directory, { recursive: true }))

test('run --http serves metrics and status while it runs, and ends with it', async () => {
  const running = startCli(['run', file, '--http', '0'])
  await running.stderrHas('http.listening')
  const url = /"url":"(http:[/][/]127[.]0[.]0[.]1:[0-9]+)"/.exec(running.stderrText())![1]!
  const status = await vi.waitFor(async () => {
    const found = (await (await fetch(`${url}/status`)).json()) as {
      pipelines: { name: string; state: string; read: { records: number } }[]
    }
    expect(found.pipelines[0]?.read.records).toBeGreaterThan(0)
    return found
  }, 10_000)
  expect(status.pipelines).toMatchObject([{ name: 'orders', state: 'running' }])
  expect((await fetch(`${url}/ready`)).status).toBe(200)
  const families = readPrometheus(await (await fetch(`${url}/metrics`)).text())
  expect(families.get('millrace_stage_passed_records_total')!.samples.length).toBeGreaterThan(0)
  running.child.kill('SIGTERM')
  expect(await running.ended).toMatchObject({ code: 0 })
  await expect(fetch(`${url}/live`)).rejects.toThrow()
})

test('a port that is taken ends the run before anything is read, with 3', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => taken.once('listening', resolve))
  const { port } = taken.address() as AddressInfo
  const { code, stderr } = await cli(['run', file, '--http', String(port)])
  taken.close()
  expect(code).toBe(3)
  expect(stderr).toContain(`Cannot serve HTTP at 127.0.0.1:${port} as another process uses this port`)
})

test('an address that is none is an error, and off serves nothing', async () => {
  const wrong = await cli(['run', file, '--http', 'http://x'])
  expect(wrong.code).toBe(2)
  expect(wrong.stderr).toContain(
    'Cannot read option "--http" as it must be a port, an address such as "127.0.0.1:9600", or "off"',
  )
  const bounded = join(directory, 'bounded.yaml')
  await writeFile(bounded, 'http: 1\nsource: {type: generate, records: 10}\nsink: {type: file, path: bounded.jsonl}\n')
  expect(await cli(['run', bounded, '--http', 'off'])).toMatchObject({ code: 0 })
})
