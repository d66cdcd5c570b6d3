package dashboard

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// pace is how the server keeps time with who looks.
type pace struct {
	// heartbeat is for what lies in between, which drops quiet connections, and for
	// the page, to notice one that is dead.
	heartbeat time.Duration
	// write is how long a browser may take to read what it is sent; then it is let
	// go, and comes again.
	write time.Duration
	// farewell is how long the end waits for answers that are under way; streams end
	// at once.
	farewell time.Duration
}

var usualPace = pace{heartbeat: 15 * time.Second, write: 10 * time.Second, farewell: 5 * time.Second}

const (
	eventStream = "text/event-stream"
	retryMillis = 2000
)

// events sends the page's content whenever it was read anew, as server-sent
// events. The id is the snapshot's: who comes again with it is not sent the same
// once more. What was missed is not made up for: the newest is all that counts.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead { // whoever asks for the header alone gets no stream
		w.Header().Set("Content-Type", eventStream)
		return
	}
	viewer, err := s.poller.join()
	if err != nil {
		w.Header().Set("Retry-After", "30")
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	defer s.poller.leave(viewer)
	w.Header().Set("Content-Type", eventStream)
	w.Header().Set("X-Accel-Buffering", "no") // for nginx
	out := &stream{w: w, control: http.NewResponseController(w), limit: s.pace.write}
	_ = out.control.SetReadDeadline(time.Time{}) // the request has been read; what is left is to notice its end
	seen := r.Header.Get("Last-Event-ID")
	err = out.send("retry: %d\n\n", retryMillis)
	beat := time.NewTicker(s.pace.heartbeat)
	defer beat.Stop()
	for err == nil {
		select {
		case <-s.ending.Done():
			return
		case <-r.Context().Done(): // the browser has gone, or its session is done
			return
		case <-beat.C:
			err = out.send(": heartbeat\nevent: beat\ndata: {}\n\n")
		case snapshot := <-viewer.snapshots:
			if snapshot.ID != seen {
				err = s.sendView(out, snapshot)
			}
		}
	}
}

// sendView sends HTML in JSON, which has no line breaks.
func (s *Server) sendView(out *stream, snapshot *Snapshot) error {
	html, err := s.render("view", s.view(snapshot))
	if err != nil {
		return err
	}
	data, err := json.Marshal(string(html))
	if err != nil {
		return err
	}
	return out.send("id: %s\nevent: view\ndata: %s\n\n", snapshot.ID, data)
}

// stream writes to one browser.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	limit   time.Duration
}

func (o *stream) send(format string, args ...any) error {
	if err := o.control.SetWriteDeadline(time.Now().Add(o.limit)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(o.w, format, args...); err != nil {
		return err
	}
	return o.control.Flush()
}
