import "./styles/app.css"
import { mount } from "svelte"
import App from "./App.svelte"
import { placeAt } from "./router/routes"
import { session } from "./state/session.svelte"

const target = document.getElementById("app")
if (target) mount(App, { target })
void session.begin()
// The page's own script comes while the server is asked who this is; who needs it says when it does not come.
placeAt(location.pathname, false)
  .load()
  .catch(() => undefined)
