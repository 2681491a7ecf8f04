import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { isProcess } from '../../../../test-bed/probe.ts'

const onLinux = process.platform === 'linux'

test.skipIf(!onLinux)('a process that has ended does not run, even if nobody has waited for it', async () => {
  const shell = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 600'])
  try {
    const [line] = (await once(shell.stdout, 'data')) as [Buffer]
    await expect.poll(() => isProcess(Number(line), 'sleep')).toBe(false)
    expect(isProcess(shell.pid!, '600')).toBe(true)
    expect(isProcess(shell.pid!, '601')).toBe(false)
  } finally {
    shell.kill()
  }
})

/** Threads of the system never have a command line; a process has none while it is being started. */
function withoutCommandLine(): number | undefined {
  const ids = onLinux ? readdirSync('/proc').filter((name) => /^\d+$/.test(name)) : []
  return ids.map(Number).find((pid) => {
    try {
      const isAlive = /\) [SI] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
      return isAlive && readFileSync(`/proc/${pid}/cmdline`, 'utf8') === ''
    } catch {
      return false
    }
  })
}

const pid = withoutCommandLine()
test.skipIf(pid === undefined)('a process without a command line runs while it has not ended', () => {
  expect(isProcess(pid!, 'anything')).toBe(true)
})
