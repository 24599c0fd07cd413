// Members of hashicorp/memberlist in one process, told by lines on standard input what to do and what to measure. Synod's side of the
// comparison (bench/Synod.Bench/Members) speaks the same lines, so that one driver asks both the same questions:
//
//	add        one more member joins; milliseconds until every member here sees it
//	kill       the last member dies without a word; milliseconds until every other one here knows
//	await N    milliseconds until every member here sees N alive
//	traffic S  packets and bytes sent in S seconds by all members here
//	falses     since the last time: how often a member here came to suspect a living one, declared one of this process dead, and
//	           declared one of another process dead
package main

import (
	"bufio"
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/armon/go-metrics"
	"github.com/hashicorp/memberlist"
)

var (
	packets, packetBytes, streamBytes int64
	falses                            [3]int64 // suspicions, deaths here, deaths elsewhere
	living, killed                    sync.Map // ports of this process
)

// suspicions takes the library's metrics, which alone tell of members becoming suspects. While they are asked for, nobody dies.
type suspicions struct{ metrics.BlackholeSink }

func (*suspicions) IncrCounterWithLabels(key []string, val float32, _ []metrics.Label) {
	if key[len(key)-1] == "suspect" {
		atomic.AddInt64(&falses[0], int64(val))
	}
}

// countingTransport counts what leaves; everything else is the library's own transport.
type countingTransport struct {
	*memberlist.NetTransport
	streams chan net.Conn
}

func count(transport *memberlist.NetTransport) countingTransport {
	counting := countingTransport{transport, make(chan net.Conn)}
	go func() {
		for conn := range transport.StreamCh() {
			counting.streams <- countingConn{conn}
		}
	}()
	return counting
}

func (t countingTransport) WriteToAddress(b []byte, addr memberlist.Address) (time.Time, error) {
	atomic.AddInt64(&packets, 1)
	atomic.AddInt64(&packetBytes, int64(len(b)))
	return t.NetTransport.WriteToAddress(b, addr)
}

func (t countingTransport) DialAddressTimeout(addr memberlist.Address, timeout time.Duration) (net.Conn, error) {
	conn, err := t.NetTransport.DialAddressTimeout(addr, timeout)
	if err != nil {
		return nil, err
	}
	return countingConn{conn}, nil
}

func (t countingTransport) StreamCh() <-chan net.Conn { return t.streams }

type countingConn struct{ net.Conn }

func (c countingConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	atomic.AddInt64(&streamBytes, int64(n))
	return n, err
}

// member counts whom it sees alive.
type member struct {
	list  *memberlist.Memberlist
	port  int
	alive int64
}

func (m *member) NotifyJoin(*memberlist.Node)   { atomic.AddInt64(&m.alive, 1) }
func (m *member) NotifyUpdate(*memberlist.Node) {}

func (m *member) NotifyLeave(n *memberlist.Node) {
	atomic.AddInt64(&m.alive, -1)
	port, _ := strconv.Atoi(strings.TrimPrefix(n.Name, "n"))
	if _, isDead := killed.Load(port); isDead {
		return
	}
	if _, isHere := living.Load(port); isHere {
		atomic.AddInt64(&falses[1], 1)
	} else {
		atomic.AddInt64(&falses[2], 1)
	}
}

func start(port int, key []byte, join string) *member {
	m := &member{port: port}
	transport, err := memberlist.NewNetTransport(&memberlist.NetTransportConfig{
		BindAddrs: []string{"127.0.0.1"}, BindPort: port, Logger: log.New(io.Discard, "", 0),
	})
	check(err)
	config := memberlist.DefaultLANConfig()
	config.Name = fmt.Sprintf("n%d", port)
	config.BindAddr, config.BindPort = "127.0.0.1", port
	config.AdvertiseAddr, config.AdvertisePort = "127.0.0.1", port
	config.Transport = count(transport)
	config.SecretKey = key
	config.Events = m
	config.LogOutput = io.Discard
	living.Store(port, true)
	m.list, err = memberlist.Create(config)
	check(err)
	if join != "" {
		_, err = m.list.Join([]string{join})
		check(err)
	}
	return m
}

func await(members []*member, count int, since time.Time) string {
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		all := true
		for _, m := range members {
			all = all && atomic.LoadInt64(&m.alive) == int64(count)
		}
		if all {
			return fmt.Sprintf("%.1f", float64(time.Since(since).Microseconds())/1000)
		}
	}
	return "-1"
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	count := flag.Int("count", 8, "members")
	port := flag.Int("port", 26000, "the first member's port; its port is also a member's number")
	join := flag.String("join", "", "a member to join, as host:port")
	secret := flag.String("key", "", "32 bytes as base64")
	flag.Parse()
	key, err := base64.StdEncoding.DecodeString(*secret)
	check(err)
	settings := metrics.DefaultConfig("")
	settings.EnableHostname, settings.EnableRuntimeMetrics = false, false
	_, err = metrics.NewGlobal(settings, &suspicions{})
	check(err)

	members := []*member{}
	add := func() {
		seed := *join
		if seed == "" && len(members) > 0 {
			seed = fmt.Sprintf("127.0.0.1:%d", *port)
		}
		members = append(members, start(*port+len(members), key, seed))
	}
	for i := 0; i < *count; i++ {
		add()
	}
	fmt.Println("ready")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		word := strings.Fields(lines.Text())
		now := time.Now()
		switch word[0] {
		case "add":
			seen := int(atomic.LoadInt64(&members[0].alive))
			add()
			fmt.Println(await(members, seen+1, now))
		case "kill":
			last := members[len(members)-1]
			members = members[:len(members)-1]
			seen := int(atomic.LoadInt64(&members[0].alive))
			killed.Store(last.port, true)
			living.Delete(last.port)
			check(last.list.Shutdown())
			fmt.Println(await(members, seen-1, now))
		case "await":
			number, _ := strconv.Atoi(word[1])
			fmt.Println(await(members, number, now))
		case "traffic":
			seconds, _ := strconv.ParseFloat(word[1], 64)
			p, b := atomic.LoadInt64(&packets), atomic.LoadInt64(&packetBytes)+atomic.LoadInt64(&streamBytes)
			time.Sleep(time.Duration(seconds * float64(time.Second)))
			fmt.Println(atomic.LoadInt64(&packets)-p, atomic.LoadInt64(&packetBytes)+atomic.LoadInt64(&streamBytes)-b)
		case "falses":
			for kind := range falses {
				fmt.Print(atomic.SwapInt64(&falses[kind], 0), " ")
			}
			fmt.Println()
		}
	}
}
