// The one program of the stage's own image: it holds a pod's namespaces (without arguments it waits), and looks at the
// world from inside a pod (`pod get URL`, `pod resolve NAME`, `pod connect HOST:PORT`), or answers with its name
// (`pod serve ADDRESS`).
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

const patience = 5 * time.Second

func main() {
	if len(os.Args) == 1 {
		end := make(chan os.Signal, 1)
		signal.Notify(end, syscall.SIGINT, syscall.SIGTERM)
		<-end
		return
	}
	if len(os.Args) != 3 {
		fail(fmt.Errorf("usage: pod [get URL | resolve NAME | connect HOST:PORT | serve ADDRESS]"))
	}
	answer, err := look(os.Args[1], os.Args[2])
	if err != nil {
		fail(err)
	}
	fmt.Print(answer)
}

func look(verb, target string) (string, error) {
	switch verb {
	case "get":
		client := http.Client{Timeout: patience}
		response, err := client.Get(target)
		if err != nil {
			return "", err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		return fmt.Sprintf("%d\n%s", response.StatusCode, body), err
	case "resolve":
		addresses, err := net.LookupHost(target)
		return strings.Join(addresses, "\n"), err
	case "serve":
		return "", http.ListenAndServe(target, http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) {
			name, _ := os.Hostname()
			fmt.Fprint(answer, name)
		}))
	case "connect":
		connection, err := net.DialTimeout("tcp", target, patience)
		if err != nil {
			return "", err
		}
		return connection.RemoteAddr().String(), connection.Close()
	}
	return "", fmt.Errorf("pod knows no %q", verb)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "pod:", err)
	os.Exit(1)
}
