/**
 * Chromium for tests of the dashboard: of the system, or where `CHROMIUM` says. Without one, such tests are skipped.
 *
 * The types are what the tests use of Playwright. Its own bring those of browsers, which programs for Node must not see.
 */
import { existsSync } from 'node:fs'

export interface Locator {
  first(): Locator
  locator(selector: string): Locator
  all(): Promise<Locator[]>
  count(): Promise<number>
  innerText(): Promise<string>
  allInnerTexts(): Promise<string[]>
  getAttribute(name: string): Promise<string | null>
  isVisible(): Promise<boolean>
  waitFor(options?: { readonly timeout?: number }): Promise<void>
  nth(index: number): Locator
  focus(): Promise<void>
  hover(): Promise<void>
  fill(text: string): Promise<void>
  press(key: string): Promise<void>
}

export interface Page {
  readonly keyboard: { press(key: string): Promise<void> }
  goto(url: string): Promise<unknown>
  locator(selector: string): Locator
  getByTestId(id: string): Locator
  getByText(text: string | RegExp, options?: { readonly exact?: boolean }): Locator
  getByLabel(text: string): Locator
  getByRole(role: string, options: { readonly name: string | RegExp }): Locator
  addScriptTag(options: { readonly path: string }): Promise<unknown>
  /** @param script runs in the page; its result comes back as JSON */
  evaluate(script: string): Promise<unknown>
  on(event: 'pageerror', listener: (error: Error) => void): void
  on(event: 'console', listener: (message: { type(): string; text(): string }) => void): void
  on(event: 'request', listener: (request: { url(): string }) => void): void
  close(): Promise<void>
}

export interface PageOptions {
  readonly colorScheme?: 'light' | 'dark'
  readonly viewport?: { readonly width: number; readonly height: number }
  /** Lets a test add scripts. */
  readonly bypassCSP?: boolean
}

export interface Browser {
  newPage(options: PageOptions): Promise<Page>
  close(): Promise<void>
}

const FOUND = [
  process.env['CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => path !== undefined && existsSync(path))

export const browserAvailable = FOUND !== undefined
if (!browserAvailable) console.warn('Tests of the dashboard are skipped: there is no Chromium. CHROMIUM names one.')

const PLAYWRIGHT = 'playwright-core'

export async function startBrowser(): Promise<Browser> {
  const { chromium } = (await import(PLAYWRIGHT)) as { chromium: { launch(options: object): Promise<Browser> } } // as above
  return chromium.launch({ executablePath: FOUND!, args: ['--no-sandbox'] })
}
