// SPDX-License-Identifier: Apache-2.0
// The same tool for Node: lib_oauth_client.js ACTION PORT CA BIND_PORT
"use strict";
const crypto = require("crypto"), fs = require("fs"), http = require("http"), https = require("https"), os = require("os");
const { spawn } = require("child_process");
const [action, port, ca, bindPort] = process.argv.slice(2);
const host = "sso.example.test";
const file = os.homedir() + "/.oauth-tool/token.json";

function fail(why) {
	console.error(String(why));
	process.exit(1);
}

function post(form, done) {
	const body = new URLSearchParams(form).toString();
	const r = https.request({
		host: "127.0.0.1", port, path: "/token", method: "POST", servername: host, ca: fs.readFileSync(ca),
		headers: { Host: host, "Content-Type": "application/x-www-form-urlencoded", "Content-Length": body.length },
	}, (res) => {
		let text = "";
		res.on("data", (d) => text += d);
		res.on("end", () => {
			if (res.statusCode !== 200)
				fail("no token: " + text);
			JSON.parse(text);
			fs.writeFileSync(file + ".new", text);
			fs.renameSync(file + ".new", file);
			console.log(done);
			process.exit(0);
		});
	});
	r.on("error", fail);
	r.end(body);
}

if (action === "refresh") {
	post({ grant_type: "refresh_token", refresh_token: JSON.parse(fs.readFileSync(file)).refresh_token }, "refreshed");
} else {
	const verifier = crypto.randomBytes(48).toString("base64url"), state = crypto.randomBytes(16).toString("base64url");
	let redirect;
	const server = http.createServer((req, res) => {
		const url = new URL(req.url, "http://localhost");
		res.end("You may close this window.");
		if (url.pathname !== "/callback")
			return;
		if (url.searchParams.get("state") !== state)
			fail("the state is another one");
		post({ grant_type: "authorization_code", code: url.searchParams.get("code"), code_verifier: verifier,
			redirect_uri: redirect }, "logged in");
	});
	server.on("error", fail);
	server.listen(Number(bindPort), "localhost", () => {
		redirect = `http://localhost:${server.address().port}/callback`;
		const query = new URLSearchParams({ response_type: "code", client_id: "tool", redirect_uri: redirect, state,
			code_challenge: crypto.createHash("sha256").update(verifier).digest("base64url"),
			code_challenge_method: "S256" });
		const p = spawn("xdg-open", [`https://${host}:${port}/authorize?${query}`], { stdio: "inherit" });
		p.on("exit", (code) => code && fail("the browser was not opened"));
	});
	setTimeout(() => fail("no answer"), 60000);
}
