/** The page "Protection": a plugin of the web console that serves a page, which then talks to the REST API alone. */
package org.plover.console;
