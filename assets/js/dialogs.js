// Native dialogs: opened when something was put into them, emptied when closed, and the focus goes back
// to what opened them, or to the row's link where the row was replaced meanwhile.

let opener = null
const dialogs = () => document.querySelectorAll('dialog.cf-dialog')

document.addEventListener('htmx:before:request', ({ detail }) => {
  const dialog = document.getElementById('dialog')
  if (detail.ctx.target === dialog && !dialog.open) opener = detail.ctx.sourceElement
})

document.addEventListener('htmx:after:swap', () => {
  let closing = false
  for (const dialog of dialogs()) {
    if (dialog.querySelector('[data-cf-close-now]')) {
      closing = dialog.open
      close(dialog)
    } else if (!dialog.open && dialog.childElementCount) dialog.showModal()
    else if (dialog.open) landIn(dialog)
  }
  if (!closing && !document.querySelector('dialog[open]')) land()
})

// Where an answer says that the work goes on; said once.
function land() {
  const place = document.querySelector('[data-cf-land]')
  place?.removeAttribute('data-cf-land')
  place?.focus()
  return Boolean(place)
}

// The next panel of an open dialog: its heading or summary speaks first, unless somebody is typing.
function landIn(dialog) {
  if (dialog.contains(document.activeElement) && document.activeElement !== dialog) return
  ;(dialog.querySelector('[autofocus]') ?? dialog.querySelector('h2'))?.focus()
}

function close(dialog) {
  if (dialog.open) dialog.close()
  else dialog.replaceChildren()
}

document.addEventListener('click', ({ target }) => {
  const dialog = target.closest?.('dialog.cf-dialog')
  if (dialog && (target.closest('[data-cf-close]') || target === dialog)) close(dialog)
})

document.addEventListener('close', ({ target }) => {
  if (!target.matches?.('dialog.cf-dialog')) return
  target.replaceChildren()
  if (target.id !== 'dialog') return
  if (land()) {
    opener = null
    return
  }
  const menu = opener?.closest?.('details.cf-menu:not([open])')
  if (menu?.isConnected) opener = menu.querySelector('summary')
  const row = opener?.closest?.('[data-cf-row]')
  const back = opener?.isConnected ? opener : document.querySelector(`#${row?.id ?? 'none'} a`)
  const landed = back ?? document.querySelector('main h1')
  landed?.focus()
  opener = null
}, true)
