/** The page: health first, then the pipeline, its last minutes, partitions, failures and events. */
import type { VNode } from 'preact'
import { useState } from 'preact/hooks'
import { Charts } from './charts.ts'
import type { Ask, View } from './data.ts'
import { bytes, seconds } from './format.ts'
import { Graph } from './graph.ts'
import { badgeOf, Health } from './health.ts'
import { html } from './html.ts'
import { Records } from './records.ts'
import { Events, Failures, Partitions } from './tables.ts'

const CONNECTIONS = {
  connecting: ['Connecting', 'warn'],
  live: ['Live', 'good'],
  lost: ['Connection lost, trying again', 'bad'],
  ended: ['The process has ended: this is the last it said', 'bad'],
  locked: ['Token wanted', 'warn'],
} as const

interface AppProps {
  readonly view: View
  readonly unlock: (token: string) => void
  readonly ask: Ask
}

export function App({ view, unlock, ask }: AppProps): VNode {
  const { status, before, history, earlier, connection } = view
  const [chosen, choose] = useState<string | undefined>(undefined)
  const [theme, setTheme] = useState(document.documentElement.dataset['theme'] ?? 'light')
  const toggle = (): void => {
    const other = theme === 'dark' ? 'light' : 'dark'
    document.documentElement.dataset['theme'] = other
    setTheme(other)
  }
  const hasEnded = status?.pipelines.every(({ state }) => state === 'failed' || state === 'ended') === true
  const [text, kind] = CONNECTIONS[connection === 'lost' && hasEnded ? 'ended' : connection]
  const pipeline = status?.pipelines.find(({ name }) => name === chosen) ?? status?.pipelines[0]
  const lastSecond = before?.pipelines.find(({ name }) => name === pipeline?.name)
  const elapsedSeconds = status && before ? (Date.parse(status.at) - Date.parse(before.at)) / 1000 : 0
  return html`<div>
    <a class="skip" href="#main">Skip to the pipeline</a>
    <header>
      <h1>Millrace</h1>
      <span class=${`badge ${kind}`} role="status">${text}</span>
      <span class="faint"
        >${status && `${status.version}, process ${status.pid}, up ${seconds(status.uptimeSeconds)}, ${bytes(status.process.residentBytes)}, event loop late by ${seconds(status.process.delaySeconds)}`}</span
      >
      <button onClick=${toggle}>${theme === 'dark' ? 'Light' : 'Dark'} theme</button>
    </header>
    <main id="main" tabindex="-1">
      ${connection === 'locked' && html`<${Unlock} unlock=${unlock} />`}
      ${
        status !== undefined &&
        status.pipelines.length > 1 &&
        html`<section aria-labelledby="pipelines">
          <h2 id="pipelines">Pipelines</h2>
          <div class="pipelines">
            ${status.pipelines.map((each) => {
              const badge = badgeOf(each)
              return html`<button key=${each.name} aria-pressed=${each === pipeline} onClick=${() => choose(each.name)}>
                ${each.name} <span class=${`badge ${badge.kind}`}>${badge.text}</span>
              </button>`
            })}
          </div>
        </section>`
      }
      ${
        pipeline === undefined
          ? connection !== 'locked' &&
            html`<section>
              <p style="margin:0">${status === undefined ? 'Waiting for the first numbers.' : 'No pipeline runs.'}</p>
            </section>`
          : html`<${Health} pipeline=${pipeline} />
              <${Graph} pipeline=${pipeline} before=${lastSecond} elapsedSeconds=${elapsedSeconds} />
              <${Charts}
                key=${pipeline.name}
                points=${history[pipeline.name] ?? []}
                events=${status!.events}
                theme=${theme}
              />
              <${Partitions} pipeline=${pipeline} />
              <${Failures}
                key=${`failures ${pipeline.name}`}
                pipeline=${pipeline}
                earlier=${earlier[pipeline.name]}
                ask=${ask}
              />
              <${Records} key=${`records ${pipeline.name}`} pipeline=${pipeline} ask=${ask} />
              <${Events} events=${status!.events} />`
      }
    </main>
  </div>`
}

function Unlock({ unlock }: { readonly unlock: (token: string) => void }): VNode {
  const [token, setToken] = useState('')
  const submit = (event: Event): void => {
    event.preventDefault()
    unlock(token)
  }
  return html`<section>
    <form onSubmit=${submit}>
      <label for="token">Token of this server</label>${' '}
      <input
        id="token"
        type="password"
        autocomplete="off"
        value=${token}
        onInput=${(event: InputEvent) => setToken((event.target as HTMLInputElement).value)}
      />${' '}
      <button>Show</button>
    </form>
  </section>`
}
