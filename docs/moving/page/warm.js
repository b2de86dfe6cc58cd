// For a page with the painter at its top: its network is loaded while the page is being read.

import { warm } from "./networks.js";

warm();
