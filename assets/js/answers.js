// Requests and their answers: the token that goes along, the announcement, and what is shown when no
// answer came. A money form whose answer was lost keeps its key, so sending it again cannot pay twice.
import htmx from './htmx.js'
import { say } from './say.js'

document.addEventListener('htmx:config:request', ({ detail }) => {
  const token = document.getElementById('csrf')?.content
  if (token) detail.ctx.request.headers['x-csrftoken'] = token
  const clicked = detail.ctx.submitter ?? detail.ctx.request.submitter
  clicked?.setAttribute('aria-disabled', 'true')
})

document.addEventListener('htmx:finally:request', ({ detail }) => {
  detail.ctx.request.submitter?.removeAttribute('aria-disabled')
  const list = document.getElementById('list')
  list?.removeAttribute('aria-busy')
})

document.addEventListener('htmx:before:request', ({ detail }) => {
  const target = detail.ctx.target
  if (target?.id === 'list') target.setAttribute('aria-busy', 'true')
})

document.addEventListener('htmx:after:swap', () => {
  for (const told of document.querySelectorAll('[data-cf-say]')) {
    if (told.dataset.cfSaid) continue
    told.dataset.cfSaid = '1'
    say(told.dataset.cfSay)
  }
})

// Timeout or network: nothing was swapped. Tell so inside the form, with both ways on.
document.addEventListener('htmx:error', ({ detail }) => {
  const form = detail.ctx?.sourceElement?.closest?.('form')
  const place = form?.querySelector('[data-cf-result]')
  const template = document.getElementById('tpl-no-answer')
  if (!place || !template) return
  place.replaceChildren(template.content.cloneNode(true))
  const key = form.elements.idempotency_key?.value
  const check = place.querySelector('[data-cf-check]')
  check.href += encodeURIComponent(key ?? '')
  check.setAttribute('hx-get', check.href)
  check.setAttribute('hx-target', '#dialog')
  htmx.process(place)
  place.querySelector('[role="alert"]').focus()
})

document.addEventListener('submit', ({ target }) => {
  target.querySelector?.('[data-cf-result]')?.replaceChildren()
}, true)

addEventListener('online', () => { document.documentElement.classList.remove('cf-is-offline') })
addEventListener('offline', () => {
  document.documentElement.classList.add('cf-is-offline')
  say('You are offline. Nothing is being sent.')
})
if (!navigator.onLine) document.documentElement.classList.add('cf-is-offline')
